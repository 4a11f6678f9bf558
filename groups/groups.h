#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "groups/config.h"
#include "groups/effects.h"
#include "groups/group.h"
#include "groups/offsets.h"
#include "groups/records.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_fetch.h"

namespace groups {

/// Everything that one coordinator knows: the groups and positions of one partition of
/// __consumer_offsets. Pure: requests, time and outcomes of writes come in, effects go out; a new
/// coordinator's state is the replay of the log.
///
/// The contract with the shell: writes go to the log in the order of their ids; persisted() is
/// called for each, durable ones in that order; an error is told only when it is certain that the
/// records are not in the log. When that is unknown, the shell ends this object and replays anew.
class Groups {
  public:
    explicit Groups(const Config& config) : config_(&config) {}

    /// Records of the log, in order, over any time; then loaded(), once, when it begins to serve.
    /// Nothing else before.
    void replay(AnyRecord, Now);
    Effects loaded(Now);

    Effects join(Now, const kafka::JoinGroupRequest&, const Caller&);
    Effects sync(Now, const kafka::SyncGroupRequest&, RequestId, int16_t version);
    Effects heartbeat(Now, const kafka::HeartbeatRequest&, RequestId);
    Effects leave(Now, const kafka::LeaveGroupRequest&, RequestId, int16_t version);
    Effects commit(Now, const kafka::OffsetCommitRequest&, RequestId, int16_t version);
    Effects delete_offsets(Now, const kafka::OffsetDeleteRequest&, RequestId);
    /// Answers with a DeleteGroupsResponse of one result.
    Effects delete_group(Now, const std::string& id, RequestId);

    /// Positions as they are durable. `require_stable` asks to refuse while a transaction's commits
    /// are pending; none can be here, so it changes nothing. `hidden` ones are as if never
    /// committed.
    kafka::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
        const kafka::OffsetFetchRequest::OffsetFetchRequestGroup&, bool require_stable,
        const Offsets::Which& hidden = nullptr) const;
    kafka::DescribeGroupsResponse::DescribedGroup describe(const std::string& id,
                                                           int16_t version) const;
    std::vector<kafka::ListGroupsResponse::ListedGroup> list(const kafka::ListGroupsRequest&) const;

    /// Drops positions that have outlived the retention, and groups that have nothing left.
    Effects expire(Now);
    /// Drops positions: those of a topic that is gone.
    Effects drop(Now, const Offsets::Which&);

    Effects persisted(Now, WriteId, kafka::ErrorCode);
    /// The write takes too long: whoever waits for it is told 15, and may find it done later.
    Effects overdue(Now, WriteId);
    /// Carries out what is due; nothing is before alarm().
    Effects tick(Now);
    base::InstantMs alarm() const {
        return alarms_.empty() ? Group::never : alarms_.begin()->first;
    }
    /// The coordinator leaves: whatever waits is refused with `why`. Nothing may be called after.
    Effects end(Now, kafka::ErrorCode why);

    const Group* find(const std::string& id) const;
    const Offsets& offsets() const { return offsets_; }
    size_t size() const { return groups_.size(); }

  private:
    struct Entry {
        Group group;
        base::InstantMs alarm = Group::never;  // as it stands in alarms_
    };
    struct Waiting {  // for records of its own: commits and deletions
        RequestId request = 0;
        Answer::Body response;
        std::string group;
        std::optional<Group> removed;  // comes back if its tombstone could not be written
    };

    Group& add(const std::string& id, Now);
    /// After an event of a group: notes whose the writes are, when it wants to be woken, and
    /// forgets it if it has never been more than a name.
    void settle(const std::string& id, Turn&);
    void set_alarm(const std::string& id, Entry&, base::InstantMs);
    void erase(const std::string& id);
    /// Whether there is nothing of it but the name: no generation, nobody in it or about to be.
    static bool only_a_name(const Group&);
    /// A group exists as long as it has positions.
    void keep_group_of_offsets(const std::string& id, Now);
    kafka::ErrorCode check_commit(const kafka::OffsetCommitRequest&, int16_t version, Now);
    std::optional<Offsets::Expiry> expiry_of(const Group&) const;
    /// Tombstones in writes of a bounded size; those of the group last. Returns the last write.
    WriteId bury(const std::vector<OffsetKey>&, const std::optional<std::string>& group, Turn&);
    std::optional<Group> take(const std::string& id);

    const Config* config_;
    std::map<std::string, Entry> groups_;
    Offsets offsets_;
    std::set<std::pair<base::InstantMs, std::string>> alarms_;
    WriteId last_write_ = 0;
    std::map<WriteId, std::string> owners_;  // writes of a Group
    std::map<WriteId, Waiting> waiting_;     // our own
};

/// Responses that refuse all of a request.
kafka::OffsetCommitResponse refuse(const kafka::OffsetCommitRequest&, kafka::ErrorCode why);
kafka::OffsetFetchResponse::OffsetFetchResponseGroup refuse(
    const kafka::OffsetFetchRequest::OffsetFetchRequestGroup&, kafka::ErrorCode why);
/// The answer of one group in the form of OffsetFetch versions up to 7.
kafka::OffsetFetchResponse single_group(const kafka::OffsetFetchRequest& asked,
                                        kafka::OffsetFetchResponse::OffsetFetchResponseGroup);
/// Sets the error of everything in a commit's or deletion's response that had none.
void refuse_all(Answer::Body&, kafka::ErrorCode why);

}  // namespace groups
