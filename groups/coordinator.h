#pragma once
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

/// Coordinates the groups of one partition of __consumer_offsets on the partition's shard: loads
/// them from the log when the broker becomes its leader, carries out the effects of Groups, and
/// keeps the one timer that they need. All calls on the shard; replies come there, perhaps inside
/// the call.
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

    /// Begins to load.
    void start();
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
    /// While loading there is nothing to do: what is loaded is compared with the topics then.
    void topic_deleted(const std::string& topic, const base::Uuid& id);

    /// none, 14, 15 or 16.
    kafka::ErrorCode serving() const;
    const Groups& groups() const { return *groups_; }

  private:
    enum class State : uint8_t { loading, serving, unreadable, stopped };

    template <class Response>
    RequestId expect(Reply<Response>);
    void carry_out(Effects);
    void flush();
    void append(base::Bytes batch, std::vector<WriteId>);
    void appended(uint64_t life, const std::vector<WriteId>&, kafka::ErrorCode);
    void reload();
    void load_next();
    void wait_for_more();
    void take(base::Result<Loaded>, base::Offset next);
    void load_failed(const std::string& why, bool try_again);
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
    State state_ = State::loading;
    std::unique_ptr<Groups> groups_;
    uint64_t life_ = 0;  // counts loads: what an earlier one has written is not this one's

    base::Offset load_next_ = 0;
    base::Offset load_end_ = 0;
    uint64_t watch_ = 0;
    base::InstantMs load_began_ = 0;
    size_t load_bytes_ = 0;
    size_t load_foreign_ = 0;
    bool loaded_once_ = false;
    std::unique_ptr<io::Timer> load_again_;

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
