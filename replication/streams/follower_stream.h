#pragma once
#include <map>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "io/shard.h"
#include "replication/streams/feed.h"
#include "replication/streams/wire.h"

namespace replication::streams {

/// What a follower has opened to one shard of this broker, as Followers keep it. On that shard
/// only.
class FollowerStream {
  public:
    explicit FollowerStream(Hello hello) : hello_(std::move(hello)) {}
    virtual ~FollowerStream() = default;
    FollowerStream(const FollowerStream&) = delete;
    FollowerStream& operator=(const FollowerStream&) = delete;

    /// The feed may have something to be sent.
    virtual void wake() = 0;
    /// Nothing is sent or taken in any more; whoever leaves Followers is told of it once.
    virtual void end(const base::Status& why) = 0;

    const Hello& hello() const { return hello_; }

  protected:
    friend class Followers;

    const Hello hello_;
    std::unique_ptr<Feed> feed_;                             // set while it is in
    absl::flat_hash_set<base::TopicPartition> asked_;        // what it attached last by this stream
    std::map<base::TopicPartition, replica::Attach> early_;  // to what is not here yet
    std::unique_ptr<io::Timer> cut_;                         // set while it is cut off
};

}  // namespace replication::streams
