#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/function.h"
#include "groups/config.h"
#include "groups/groups.h"
#include "groups/journal.h"
#include "groups/loader.h"
#include "groups/topics.h"
#include "io/shard.h"

namespace groups {

/// The world outside, replaceable in tests.
struct Environment {
    virtual ~Environment() = default;
    virtual Now now() = 0;
    virtual uint64_t random() = 0;
};

/// Coordinates the groups of one partition of __consumer_offsets on the partition's shard. While
/// another broker leads it, this one follows: it replays what is committed as it comes. As the
/// leader it goes on from there to where the log ended when it became that, and then serves:
/// carries out the effects of Groups, and keeps the one timer that they need. What it has in memory
/// beyond the log goes with the leadership: then it replays the log anew. All calls on the shard;
/// replies come there, perhaps inside the call.
///
/// Refuses with 14 while loading, with 16 when the partition is not led here, and with 15 when the
/// log can't be read: a damaged record is never skipped. Records of other kinds of groups are.
class Coordinator : public std::enable_shared_from_this<Coordinator> {
  public:
    template <class Response>
    using Reply = base::Function<void(Response)>;

    Coordinator(int32_t index, std::unique_ptr<Journal>, io::Shards&, const Config&, const Topics&,
                Environment&);
    ~Coordinator();

    /// Begins to follow.
    void start();
    /// The metadata says that this broker leads the partition, since that epoch, and whoever asks
    /// for topics is told of as much of the metadata. Before that it does not serve: positions in
    /// topics that it has not heard of yet would be taken for those of deleted ones.
    void lead(base::LeaderEpoch);
    /// The metadata says that it does not.
    void follow();
    /// Refuses what waits and everything from now on with 16. The journal is not used afterwards.
    void stop();

    void join(const kafka::JoinGroupRequest&, Caller, Reply<kafka::JoinGroupResponse>);
    void sync(const kafka::SyncGroupRequest&, int16_t version, Reply<kafka::SyncGroupResponse>);
    void heartbeat(const kafka::HeartbeatRequest&, Reply<kafka::HeartbeatResponse>);
    void leave(const kafka::LeaveGroupRequest&, int16_t version, Reply<kafka::LeaveGroupResponse>);
    void commit(const kafka::OffsetCommitRequest&, int16_t version,
                Reply<kafka::OffsetCommitResponse>);
    void delete_offsets(const kafka::OffsetDeleteRequest&, Reply<kafka::OffsetDeleteResponse>);
    void delete_group(const std::string& id, Reply<kafka::DeleteGroupsResponse>);
    kafka::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
        const kafka::OffsetFetchRequest::OffsetFetchRequestGroup&, bool require_stable);
    kafka::DescribeGroupsResponse::DescribedGroup describe(const std::string& id, int16_t version);
    /// Adds its groups; 14 or 15 if it can't tell (16 is not an error here: another broker tells).
    kafka::ErrorCode list(const kafka::ListGroupsRequest&,
                          std::vector<kafka::ListGroupsResponse::ListedGroup>& to);
    /// Until it serves there is nothing to do: then what it has is compared with the topics.
    void topic_deleted(const std::string& topic, const base::Uuid& id);

    /// none, 14, 15 or 16.
    kafka::ErrorCode serving() const;
    const Groups& groups() const { return *groups_; }

  private:
    enum class State : uint8_t { following, loading, serving, unreadable, stopped };
    /// How far the log is replayed.
    struct Replayed {
        base::Offset from = 0;  // the log's start when it began
        base::Offset next = 0;
        base::LeaderEpoch epoch = -1;  // of the last batch; -1: none
        size_t bytes = 0;
        size_t foreign = 0;
    };

    template <class Response>
    RequestId expect(Reply<Response>);

    // coordinator_replay.cc
    bool leads() const;
    void take_role();
    void begin_anew(kafka::ErrorCode why);
    void step_down();
    void step();
    void step_soon();
    void pause(std::chrono::milliseconds);
    void watch(base::Offset);
    void woken();
    void read_on();
    void take(base::Result<Loaded>, base::LeaderEpoch read_in, base::Offset next);
    void failed(const std::string& why, bool damaged);
    void serve();

    void carry_out(Effects);
    void flush();
    void append(base::Bytes batch, std::vector<WriteId>);
    void appended(uint64_t life, const std::vector<WriteId>&, kafka::ErrorCode);
    /// Whether the position is one in an earlier topic of the same name, or in none.
    bool outlived(const OffsetKey&, const OffsetCommitValue&) const;
    void drop_outlived(Now);
    void arm();
    void on_timer();
    void give_up_on_overdue(Now);

    const int32_t index_;
    std::unique_ptr<Journal> journal_;
    io::Shard& shard_;
    io::Shards& shards_;
    const Config& config_;
    const Topics& topics_;
    Environment& environment_;
    State state_ = State::following;
    std::optional<base::LeaderEpoch> told_to_lead_;
    std::unique_ptr<Groups> groups_;
    uint64_t life_ = 0;  // counts replays: what an earlier one has begun is not this one's

    Replayed replayed_;
    base::LeaderEpoch load_epoch_ = -1;  // in which the end was taken
    base::Offset load_end_ = 0;
    base::InstantMs load_began_ = 0;
    bool reading_ = false;
    bool damaged_ = false;               // what comes next: only a leader tries it again
    bool failing_ = false;               // and has said so
    bool compared_with_topics_ = false;  // since it leads
    uint64_t watch_ = 0;
    std::unique_ptr<io::Timer> pause_;

    RequestId last_request_ = 0;
    std::map<RequestId, base::Function<void(Answer::Body)>> waiting_;
    std::vector<Write> unflushed_;
    bool flush_posted_ = false;
    std::deque<std::pair<base::InstantMs, WriteId>>
        overdue_;  // when to answer without the log's word
    base::InstantMs expire_at_ = 0;
    base::InstantMs timer_at_ = Group::never;
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace groups
