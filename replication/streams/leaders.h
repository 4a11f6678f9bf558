#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "io/shard.h"
#include "io/transport/door.h"
#include "replication/partitions.h"
#include "replication/streams/leader_link.h"
#include "replication/streams/options.h"

namespace replication::streams {

/// One shard's streams to the leaders of its partitions. On that shard only.
class Leaders {
  public:
    Leaders(io::Shards&, io::Shard& home, Partitions&, const Options&, const transport::Door&);

    void send(const base::TopicPartition&, base::BrokerId to, const replica::Attach&);
    void send(const base::TopicPartition&, base::BrokerId to, const replica::Acknowledgement&);
    void closed(const base::TopicPartition&);

    /// HOST:PORT of each broker that can be reached.
    void set_addresses(std::map<base::BrokerId, std::string>);
    /// As Followers::set_cut.
    void set_cut(std::set<int32_t> nodes);
    /// Ends all streams.
    void close();

  private:
    using Key = std::pair<base::BrokerId, uint32_t>;  // leader, and its shard

    LeaderLink& link(const Key&);
    std::string address_of(base::BrokerId) const;
    uint32_t shards_of(base::BrokerId) const;
    void welcomed(const Key&, const Welcome&);
    void received(const LeaderMessage&);
    void lost(const std::vector<base::TopicPartition>&);

    io::Shards& shards_;
    io::Shard& home_;
    Partitions& partitions_;
    const Options& options_;
    const transport::Door& door_;
    std::map<base::BrokerId, std::string> addresses_;
    std::set<int32_t> cut_;
    std::map<base::BrokerId, uint32_t> shards_of_;  // as they said last
    std::map<Key, std::unique_ptr<LeaderLink>> links_;
    absl::flat_hash_map<base::TopicPartition, Key> asked_;  // where it attached last
    bool closed_ = false;
};

}  // namespace replication::streams
