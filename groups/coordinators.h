#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "groups/config.h"
#include "groups/coordinator.h"
#include "groups/journal.h"
#include "groups/topics.h"
#include "io/shard.h"

namespace groups {

/// What a handler knows of the client whose request it passes on.
struct ClientContext {
    std::string client_id;
    std::string host;  // as DescribeGroups shows it: "/10.0.0.7"
    int16_t api_version = 0;
};

/// All coordinators of this broker: group id -> partition of __consumer_offsets -> coordinator, on
/// whichever shard the partition lives. Requests may come from any shard; the reply runs on that
/// shard, once, and in the order of nothing else.
///
/// A partition that is not led here answers 16. The broker tells of each that it has a replica of,
/// whenever the metadata says anew who leads it. Of requests by topic id (OffsetCommit and
/// OffsetFetch 10) the handler fills in the names first, and takes out topics that don't exist or
/// may not be seen.
class Coordinators {
  public:
    template <class Response>
    using Reply = base::Function<void(Response)>;

    /// `partitions`: of __consumer_offsets. `shards` and `topics` must outlive it; `environment`
    /// none: the real clocks and randomness.
    Coordinators(io::Shards& shards, const Config& config, const Topics& topics, int32_t partitions,
                 std::unique_ptr<Environment> environment = nullptr);
    ~Coordinators();

    /// This broker has a replica of the partition, which another one leads, or nobody: replays what
    /// is committed. From any thread.
    void follow(int32_t index, std::unique_ptr<Journal>);
    void follow(int32_t index, replication::Partition&);
    /// This broker leads it, since that epoch: serves its groups once all is replayed.
    void lead(int32_t index, std::unique_ptr<Journal>, base::LeaderEpoch);
    void lead(int32_t index, replication::Partition&, base::LeaderEpoch);
    /// It has no replica of it any longer, or closes. Then `done`, on the partition's shard (on the
    /// caller's thread if it was not there): the partition is not used any more. Before the shards
    /// stop, every partition must have been removed.
    void remove(int32_t index, base::Function<void()> done = nullptr);

    int32_t partition_of(const std::string& group) const;
    int32_t partitions() const { return static_cast<int32_t>(places_.size()); }

    void join(io::Shard& from, kafka::JoinGroupRequest, ClientContext,
              Reply<kafka::JoinGroupResponse>);
    void sync(io::Shard& from, kafka::SyncGroupRequest, ClientContext,
              Reply<kafka::SyncGroupResponse>);
    void heartbeat(io::Shard& from, kafka::HeartbeatRequest, ClientContext,
                   Reply<kafka::HeartbeatResponse>);
    void leave(io::Shard& from, kafka::LeaveGroupRequest, ClientContext,
               Reply<kafka::LeaveGroupResponse>);
    void commit(io::Shard& from, kafka::OffsetCommitRequest, ClientContext,
                Reply<kafka::OffsetCommitResponse>);
    void fetch(io::Shard& from, kafka::OffsetFetchRequest, ClientContext,
               Reply<kafka::OffsetFetchResponse>);
    void delete_offsets(io::Shard& from, kafka::OffsetDeleteRequest, ClientContext,
                        Reply<kafka::OffsetDeleteResponse>);
    void describe(io::Shard& from, kafka::DescribeGroupsRequest, ClientContext,
                  Reply<kafka::DescribeGroupsResponse>);
    void list(io::Shard& from, kafka::ListGroupsRequest, ClientContext,
              Reply<kafka::ListGroupsResponse>);
    void delete_groups(io::Shard& from, kafka::DeleteGroupsRequest, ClientContext,
                       Reply<kafka::DeleteGroupsResponse>);
    /// The topic is gone: so are all positions in it.
    void topic_deleted(const std::string& topic, const base::Uuid& id);

  private:
    /// Runs `call` with the coordinator on its shard, made if it is not there.
    void with(int32_t index, std::unique_ptr<Journal>, base::Function<void(Coordinator&)> call);
    /// Runs `call` with the coordinator (null: not here) on its shard.
    void at(int32_t index, base::Function<void(Coordinator*)> call);
    /// Calls `call` with the coordinator of the request's group, on its shard; refuses if it is not
    /// here.
    template <class Request, class Response, class Call>
    void ask(io::Shard& from, Request, Reply<Response>, Call call);
    void fetch_groups(io::Shard& from, kafka::OffsetFetchRequest,
                      Reply<kafka::OffsetFetchResponse>);

    io::Shards& shards_;
    const Config config_;
    const Topics& topics_;
    std::unique_ptr<Environment> environment_;
    std::vector<std::atomic<int32_t>> places_;  // partition -> shard; -1: not here
    /// By shard, touched there only: its coordinators by partition.
    std::vector<std::map<int32_t, std::shared_ptr<Coordinator>>> coordinators_;
};

}  // namespace groups
