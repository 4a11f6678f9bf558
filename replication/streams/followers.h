#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "replication/streams/feed.h"
#include "replication/streams/options.h"

namespace replication::streams {

class FollowerStream;

/// The streams that followers have opened to one shard: of each shard of each follower one, the
/// newest. On that shard only.
class Followers {
  public:
    Followers(io::Shards&, io::Shard& home, Partitions&, const Options&);
    ~Followers();

    // As Exchange.
    void opened(const base::TopicPartition&);
    void closed(const base::TopicPartition&);
    void send(const base::TopicPartition&, base::BrokerId to, const replica::AttachReply&);
    void grown(const base::TopicPartition&);
    void detach(const base::TopicPartition&, base::BrokerId follower);

    /// Who may follow. The streams of others end.
    void set_members(std::set<base::BrokerId>);
    /// As if the cable to these were cut: nothing comes or goes, and the streams end when a silent
    /// connection would be given up; then, or once the cable is mended, new ones may come.
    void set_cut(std::set<int32_t> nodes);
    /// What catches up without being in sync gets as much; 0: as much as it takes.
    void set_throttle(int64_t bytes_per_s);
    /// Ends all streams and turns away who comes.
    void close();

    // As its streams tell:

    /// Takes the stream in, in the place of an older one, or tells why not.
    base::Status enter(FollowerStream&);
    /// It has ended, whether it was taken in or not.
    void leave(FollowerStream&);
    void receive(FollowerStream&, const FollowerMessage&);

  private:
    base::Status admit(const Hello&) const;
    void asked(FollowerStream&, const base::TopicPartition&, const replica::Attach&);
    FollowerStream* stream_for(const base::TopicPartition&, base::BrokerId);
    std::vector<FollowerStream*> all() const;

    io::Shard& home_;
    const Options& options_;
    FeedWorld world_;
    std::map<std::pair<base::BrokerId, uint32_t>, FollowerStream*> streams_;
    std::set<base::BrokerId> members_;
    std::set<int32_t> cut_;
    bool closed_ = false;
};

}  // namespace replication::streams
