#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "groups/config.h"
#include "groups/effects.h"
#include "groups/records.h"
#include "kafka/errors.h"
#include "kafka/messages/describe_groups.h"

namespace groups {

using Protocol = kafka::JoinGroupRequest::JoinGroupRequestProtocol;

/// One member of a group, as it said it is when it joined.
struct Member {
    std::string id;
    std::optional<std::string> instance_id;  // set: a static member (KIP-345)
    std::string client_id;
    std::string client_host;
    int32_t rebalance_timeout_ms = 0;
    int32_t session_timeout_ms = 0;
    std::vector<Protocol> protocols;  // in order of preference
    base::Bytes assignment;           // as its leader gave it; durable

    bool is_new = false;          // its first join is parked: it has no id yet to heartbeat with
    RequestId awaiting_join = 0;  // parked requests; 0: none
    RequestId awaiting_sync = 0;
    std::optional<base::InstantMs> session_deadline;  // none: a parked request keeps it alive
};

/// Who sent a join, and the unique part of the member id to give out, drawn by the shell.
struct Caller {
    RequestId request = 0;
    int16_t version = 0;
    std::string client_id;
    std::string client_host;
    std::string member_suffix;
};

/// One group of the classic protocol (KIP-62, 345, 394, 559, 814): who its members are, which
/// generation holds, who waits for what. Pure: time, requests and outcomes of writes come in;
/// answers and records go out through the Turn.
///
///     empty -> preparing_rebalance -> completing_rebalance -> stable -> preparing_rebalance ...
///
/// dead: deleted or its coordinator left; a group in that state only refuses.
class Group {
  public:
    enum class State : uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };
    static constexpr base::InstantMs never = std::numeric_limits<base::InstantMs>::max();

    /// `generation`: of an earlier group of this name that the log may still hold.
    Group(std::string id, const Config& config, base::TimestampMs now, int32_t generation = 0)
        : id_(std::move(id)), config_(&config), state_since_(now), generation_(generation) {}
    /// As it was written to the log; sessions count from now.
    Group(std::string id, const Config&, const GroupMetadataValue&, Now);

    // Requests. Each is answered through the turn, now or later; the shell has checked the group
    // id.
    void join(const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void sync(const kafka::SyncGroupRequest&, RequestId, Turn&);
    void heartbeat(const kafka::HeartbeatRequest&, RequestId, Turn&);
    void leave(const kafka::LeaveGroupRequest&, RequestId, int16_t version, Turn&);

    /// Whether this member may commit offsets now (none, 15, 22, 25, 27, 82); one that may has
    /// shown that it lives.
    kafka::ErrorCode check_commit(const std::string& member_id,
                                  const std::optional<std::string>& instance_id, int32_t generation,
                                  Now);
    /// Its coordinator begins to serve: sessions count from now, however long ago it was replayed,
    /// and a group larger than the configured size must shrink.
    void resume(Turn&);
    /// Carries out what is due. Nothing is before alarm().
    void tick(Turn&);
    /// No later than the earliest deadline; may be early. `never`: nothing waits.
    base::InstantMs alarm() const { return alarm_; }
    /// What became of a write: none, or the log's error when it is certain that nothing was
    /// written.
    void persisted(WriteId, kafka::ErrorCode, Turn&);
    /// Deleted, or the coordinator leaves: refuses all that is parked with `why`.
    void end(kafka::ErrorCode why, Turn&);

    const std::string& id() const { return id_; }
    State state() const { return state_; }
    std::string_view state_name() const;
    int32_t generation() const { return generation_; }
    const std::optional<std::string>& protocol_type() const { return protocol_type_; }
    const std::optional<std::string>& protocol_name() const { return protocol_name_; }
    const std::map<std::string, Member>& members() const { return members_; }
    const std::optional<std::string>& leader() const { return leader_; }
    size_t pending_members() const { return pending_members_.size(); }
    bool writing() const { return !writes_.empty(); }
    base::TimestampMs state_since() const { return state_since_; }
    /// Uses the embedded consumer protocol, so that its subscription can be read.
    bool of_consumers() const { return protocol_type_ == "consumer"; }
    /// Topics whose offsets must be kept. Where the subscription can't be read, every topic.
    bool subscribed_to(const std::string& topic) const;
    kafka::DescribeGroupsResponse::DescribedGroup describe() const;
    /// The group as it goes to the log, with these assignments.
    GroupMetadataValue metadata(const std::map<std::string, base::Bytes>& assignments) const;
    std::map<std::string, base::Bytes> assignments() const;

  private:
    struct AssignmentWrite {
        int32_t generation = 0;
        std::map<std::string, base::Bytes> assignments;
    };
    /// A static member came back under a new id, without a rebalance.
    struct ReplacementWrite {
        int32_t generation = 0;
        std::string new_id;
        Member before;
        std::string leader_before;
        bool skip_assignment = false;  // the client knows the field (v9)
    };
    struct EmptyWrite {};
    using Promise = std::variant<AssignmentWrite, ReplacementWrite, EmptyWrite>;

    /// Writes the group as it is, with these assignments.
    void write(const std::map<std::string, base::Bytes>& assignments, Promise, Turn&);

    // join.cc
    bool accepts(const std::string& member_id) const;
    bool within_bounds(const kafka::JoinGroupRequest&) const;
    bool supports(const std::string& protocol_type, const std::vector<Protocol>&) const;
    void join_new(const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void join_known(const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void join_again(Member&, const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void add_and_rebalance(const kafka::JoinGroupRequest&, const Caller&,
                           const std::string& member_id, Turn&);
    void update_and_rebalance(Member&, const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void update(Member&, const kafka::JoinGroupRequest&, const Caller&, Turn&);
    void replace_static(const std::string& old_id, std::string new_id,
                        const kafka::JoinGroupRequest&, const Caller&, Turn&);
    Member& rename(const std::string& old_id, std::string new_id, Turn&);
    void replacement_written(WriteId, ReplacementWrite, kafka::ErrorCode, Turn&);
    void undo_replacement(WriteId, ReplacementWrite, kafka::ErrorCode, Turn&);
    kafka::JoinGroupResponse current_generation(const Member&, bool with_members) const;

    // rebalance.cc
    void rebalance_or_complete(Turn&);
    void prepare_rebalance(Turn&);
    void complete_join_if_all_joined(Turn&);
    void complete_join(Turn&);
    bool elect_joined_leader();
    void next_generation(Turn&);
    void initial_delay_over(Turn&);
    void drop_unsynced(Turn&);
    void transition(State, Turn&);
    std::string select_protocol() const;
    void read_subscriptions();
    int32_t rebalance_timeout_ms() const;
    bool all_joined() const;

    // sync.cc
    kafka::ErrorCode check_sync(const kafka::SyncGroupRequest&) const;
    void write_assignment(const kafka::SyncGroupRequest&, Turn&);
    void assignment_written(AssignmentWrite, kafka::ErrorCode, Turn&);
    void answer_syncs(kafka::ErrorCode, Turn&);
    void synced(const std::string& member_id);
    bool assignment_on_its_way() const;

    // group.cc
    kafka::ErrorCode check_member(const std::string& member_id,
                                  const std::optional<std::string>& instance_id) const;
    kafka::ErrorCode leave_one(const kafka::LeaveGroupRequest::MemberIdentity&, Turn&);
    void add(Member);
    void remove(const std::string& member_id);
    void remove_and_rebalance(const std::string& member_id, Turn&);
    void expire_sessions(Turn&);
    void renew_session(Member&, Now);
    void refuse_join(Member&, kafka::ErrorCode, Turn&);
    void refuse_sync(Member&, kafka::ErrorCode, Turn&);
    void wake_by(base::InstantMs deadline) { alarm_ = std::min(alarm_, deadline); }
    void reset_alarm();

    std::string id_;
    const Config* config_;
    State state_ = State::empty;
    State previous_state_ = State::empty;
    base::TimestampMs state_since_;
    int32_t generation_ = 0;
    std::optional<std::string> protocol_type_;  // kept while empty; none: never had a member
    std::optional<std::string> protocol_name_;
    std::optional<std::string> leader_;
    std::map<std::string, Member> members_;
    std::map<std::string, std::string> static_members_;  // instance id -> member id
    std::map<std::string, base::InstantMs>
        pending_members_;                  // id given out, not joined: until when
    std::set<std::string> pending_syncs_;  // joined this generation, not synced
    std::optional<std::set<std::string>> subscribed_topics_;  // none: could not be read
    bool new_member_added_ = false;                           // extends the initial delay
    std::optional<base::InstantMs> join_deadline_;
    bool initial_delay_ = false;  // join_deadline_ ends the initial delay, not the rebalance
    int32_t initial_step_ms_ = 0;
    int32_t initial_remaining_ms_ = 0;
    std::optional<base::InstantMs> sync_deadline_;
    base::InstantMs alarm_ = never;
    std::map<WriteId, Promise> writes_;
    WriteId newest_write_ = 0;
};

/// What a request gets when records could not be written: Kafka's table.
kafka::ErrorCode answer_for_failed_write(kafka::ErrorCode);

}  // namespace groups
