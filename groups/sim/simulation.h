#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "groups/sim/client.h"
#include "groups/sim/ghost.h"
#include "groups/sim/world.h"

namespace groups::sim {

/// Clients, a network that loses, repeats and delays, and one coordinator that crashes and comes
/// back with what its log kept, or is followed by a replica that has replayed most of it already.
/// After every event the invariants are checked; in the end, with the faults over, the groups must
/// settle.
class Simulation final : public Network {
  public:
    struct Totals {
        uint64_t events = 0, records = 0, generations = 0, failovers = 0, taken_over = 0,
                 commits = 0, expired = 0, dropped = 0;
    };

    Simulation(uint64_t seed, bool trace);
    ~Simulation() override;
    /// What went wrong, or nothing.
    std::optional<std::string> run();
    const Totals& totals() const { return totals_; }

  private:
    struct Call {  // a request at the coordinator
        Network::Reply reply;
        std::string group, member_id;
        int32_t generation = -1;
        std::vector<std::pair<OffsetKey, int64_t>> positions;
    };
    struct Appended {
        Record record;
        WriteId last_of = 0;  // set at the last record of a write
    };

    void send(kafka::JoinGroupRequest, int16_t version, int64_t timeout, Reply) override;
    void send(kafka::SyncGroupRequest, int16_t version, int64_t timeout, Reply) override;
    void send(kafka::HeartbeatRequest, int64_t timeout, Reply) override;
    void send(kafka::LeaveGroupRequest, int16_t version, int64_t timeout, Reply) override;
    void send(kafka::OffsetCommitRequest, int16_t version, int64_t timeout, Reply) override;
    using Serve = std::function<Effects(RequestId)>;
    /// Takes a request through the network, perhaps twice or never, and its replies back.
    void transport(Call, int64_t timeout, Serve);

    void carry_out(Effects);
    void check_answer(const Answer&, const Call&);
    void append(Write);
    void make_durable(uint64_t life);
    void wake();
    void crash(bool loses_tail);
    void load();
    /// The replica takes some more of the log.
    void follow();
    void replay(Groups&, size_t from, size_t to) const;
    std::optional<std::string> differs_from_a_fresh_replay() const;
    void chaos();
    void maintain();
    void commit_alone();
    void expire();
    /// The topic that groups subscribe to is deleted and made anew, noticed or not.
    void make_topic_anew();
    void drop(const Offsets::Which&);
    bool outlived(const OffsetKey&, const OffsetCommitValue&) const;
    void drop_outlived();
    void check();
    void check_commit(const kafka::OffsetCommitRequest&, const Effects&, kafka::ErrorCode expected);
    kafka::ErrorCode expected_commit(const kafka::OffsetCommitRequest&) const;
    void check_settled();
    void broken(const std::string& what) {
        if (!broken_) broken_ = "t=" + std::to_string(world_.now()) + ": " + what;
    }

    World world_;
    Config config_;
    Ghost ghost_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::unique_ptr<Groups> groups_;  // none: down
    std::unique_ptr<Groups> replica_;
    size_t replica_next_ = 0;
    uint64_t life_ = 0;
    std::vector<Record> log_;    // durable
    std::deque<Appended> tail_;  // appended, not durable yet
    std::map<RequestId, Call> calls_;
    RequestId last_request_ = 0;
    uint64_t last_suffix_ = 0;
    int64_t next_offset_ = 0;
    base::Uuid topic_id_{1, 1};  // of "t", now; other topics have none
    base::InstantMs woken_at_ = Group::never;
    std::map<std::string, int32_t> generations_;  // live, in this life
    std::map<std::string, int32_t> joined_;  // member -> generation it was let into, in this life
    bool quiet_ = false;
    int64_t loss_ = 0, slowest_ = 0, slow_disk_ = 0, failing_disk_ = 0, crashes_ = 0, unrest_ = 0;
    std::optional<std::string> broken_;
    Totals totals_;
};

}  // namespace groups::sim
