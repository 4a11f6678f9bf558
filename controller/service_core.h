#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "controller/decision.h"
#include "controller/liveness.h"
#include "controller/service.h"
#include "controller/voters.h"
#include "io/shard.h"

namespace controller {

/// The service's state, on its shard. Held by whatever was posted, so that it lives as long as
/// that.
class Service::Core : public std::enable_shared_from_this<Core> {
  public:
    /// OK, or why not; with the index of the last entry that the answer rests on.
    using Done = base::Function<void(const kafka::Error&, int64_t index)>;

    Core(io::Shards& shards, io::Shard& home, quorum::LogStore::Opened, Options);
    /// The quorum's events refer to this.
    void start();
    void stop();

    io::Shard& home() { return home_; }
    quorum::Quorum& quorum() { return *quorum_; }
    const quorum::Quorum& quorum() const { return *quorum_; }
    const raft::Member& self() const { return self_; }
    const base::Uuid& raft_cluster() const { return raft_cluster_; }

    /// Whether requests are decided here now.
    bool active() const { return head_ != nullptr; }
    /// Why they are not.
    kafka::Error not_active() const;
    const kafka::Error& failure() const { return failed_; }
    /// What a decision is made from, while active: the state after everything that was decided.
    State state() const { return {*head_, options_.static_configs, options_.id}; }
    /// The index that the next entry gets.
    int64_t next_index() const { return quorum_->raft().log().last() + 1; }
    base::Uuid draw_uuid();
    base::InstantMs now() { return options_.now(); }
    /// Whether it says so; one that is not connected says nothing.
    bool is_mere_broker(const raft::Member& member) {
        return options_.is_controller && !options_.is_controller(member).value_or(true);
    }
    std::chrono::milliseconds tick() const { return options_.tick; }
    Sessions& sessions() { return sessions_; }

    /// Takes a decision, while active: `done` is called with OK once the records and all before
    /// them are committed, replayed and published; or else with why they are not. Without records,
    /// once that holds for all before, and a majority has confirmed that this node still leads.
    void take(Records records, Done done);
    /// The same for what changes nothing and may rest on a state that is a little old.
    void take_unconfirmed(Done done);
    /// Changes the quorum, and then takes the records; `done` as above. Where the quorum can't be
    /// changed now, nothing is.
    void take_change(const raft::Change&, Records records, Done done);
    base::Status apply(const Application&);
    void subscribe(io::Shard& shard, Subscriber subscriber);
    void process_gone(base::BrokerId);
    /// A message of that member has come.
    void heard(const raft::Member&);

  private:
    struct Pending {  // proposed, and not committed as far as is known
        raft::Position position;
        std::vector<Done> done;
    };
    struct Subscription {
        io::Shard* shard;
        std::shared_ptr<Subscriber> call;
    };

    quorum::Quorum::Events events();
    void standing_changed(const quorum::Standing&);
    void begin_deciding();
    void stop_deciding(const kafka::Error&);
    void found();
    void applied(const quorum::Quorum::Applied&);
    void publish(const std::shared_ptr<const metadata::Delta>&, std::vector<Done>, int64_t index);
    void failed(const base::Status&);
    /// Sessions that are over, voters to be made, leaders to be changed: every 100 ms while active.
    void look_after();
    void step_voters();
    void fence(const Sessions::Broker&);
    /// Leadership to first replicas, as often as leader.imbalance.check.interval.seconds says.
    void rebalance_if_due();

    io::Shards& shards_;
    io::Shard& home_;
    Options options_;
    const raft::Member self_;
    const std::string cluster_id_;
    const base::Uuid raft_cluster_;
    std::shared_ptr<quorum::Quorum> quorum_;
    Sessions sessions_;
    Voters voters_;
    std::unique_ptr<io::Timer> timer_;
    base::InstantMs rebalanced_at_ = 0;
    std::optional<Sessions::Silent> last_leader_;  // another than this node; when last heard

    raft::Term term_ = 0;
    metadata::ImagePtr published_;
    metadata::ImagePtr head_;  // null: not active
    std::deque<Pending> pending_;
    kafka::Error failed_;
    bool stopped_ = false;
    std::vector<Subscription> subscriptions_;
};

}  // namespace controller
