#include "controller/service_core.h"

#include "absl/random/random.h"
#include "base/check.h"
#include "controller/brokers.h"
#include "controller/features.h"
#include "controller/rebalance.h"
#include "metadata/records.h"
#include "metadata/snapshot.h"
#include "spdlog/spdlog.h"

namespace controller {

namespace {

using kafka::Error;
using kafka::ErrorCode;

constexpr std::chrono::milliseconds kLook{100};

/// Raft tells the members of one cluster from those of another by 128 bits: the cluster's id where
/// that is a UUID, as those that are drawn are; or else two hashes of it.
base::Uuid number_of(const std::string& id) {
    if (const auto uuid = base::Uuid::parse(id)) return *uuid;
    const auto fnv = [&](uint64_t h) {
        for (const char c : id) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
        return h;
    };
    return {fnv(0xcbf29ce484222325ull), fnv(0x9ae16a3b2f90404full)};
}

Error refused(raft::Refusal why) {
    switch (why) {
        case raft::Refusal::too_large:
            return {
                ErrorCode::policy_violation,
                "what follows from the request is larger than one entry of the metadata log may "
                "be; ask for less at once"};
        case raft::Refusal::too_much_waiting:
            return {ErrorCode::throttling_quota_exceeded,
                    "a majority of the controllers is too slow: too much waits to be committed"};
        case raft::Refusal::change_pending:
            return {ErrorCode::request_timed_out,
                    "another change of the controllers is not committed yet; try again"};
        case raft::Refusal::not_caught_up:
            return {ErrorCode::request_timed_out,
                    "the controller has not caught up with the metadata log yet; try again"};
        case raft::Refusal::would_lose_quorum:
            return {ErrorCode::request_timed_out,
                    "too few of the controllers that would be left answer; bring them back first"};
        case raft::Refusal::impossible_change:
            return {ErrorCode::invalid_request, "the controllers' quorum is not as was assumed"};
        default:
            return {ErrorCode::not_controller, "this controller is not active any more"};
    }
}

}  // namespace

Service::Core::Core(io::Shards& shards, io::Shard& home, quorum::LogStore::Opened opened,
                    Options options)
    : shards_(shards),
      home_(home),
      options_(std::move(options)),
      self_(opened.log->self()),
      cluster_id_(opened.log->cluster_id()),
      raft_cluster_(number_of(cluster_id_)),
      sessions_({.session_ms = options_.session_ms}),
      voters_(options_.founders),
      published_(opened.image) {
    if (!options_.draw)
        options_.draw = [random = absl::BitGen()]() mutable {
            return absl::Uniform<uint64_t>(random);
        };
    if (!options_.now) options_.now = [] { return io::monotonic_clock(); };
    quorum::Quorum::Options q;
    q.raft.cluster = raft_cluster_;
    q.raft.heartbeat_ticks = options_.heartbeat_ticks;
    q.raft.election_ticks = options_.election_ticks;
    q.tick = options_.tick;
    q.snapshot_bytes = options_.snapshot_bytes;
    q.seed = options_.draw();
    quorum_ =
        std::make_shared<quorum::Quorum>(shards_, home_, std::move(opened), std::move(q), events());
}

quorum::Quorum::Events Service::Core::events() {
    quorum::Quorum::Events e;
    e.send = [this](raft::Message m) { options_.send(std::move(m)); };
    e.on_applied = [this](const quorum::Quorum::Applied& a) { applied(a); };
    e.on_standing = [this](const quorum::Standing& s) { standing_changed(s); };
    e.on_configuration = [this](const raft::Configuration& c) {
        if (options_.on_configuration) options_.on_configuration(c);
    };
    e.on_failure = [this](const base::Status& why) { failed(why); };
    return e;
}

void Service::Core::start() { quorum_->start(); }

void Service::Core::stop() {
    stopped_ = true;
    timer_.reset();
    quorum_->stop();
    stop_deciding({ErrorCode::not_controller, "this controller is stopping"});
}

base::Uuid Service::Core::draw_uuid() {
    const uint64_t hi = options_.draw();
    return base::Uuid::from_random(hi, options_.draw());
}

kafka::Error Service::Core::not_active() const {
    if (failed_.code != ErrorCode::none) return failed_;
    return {ErrorCode::not_controller, "this node is not the active controller"};
}

// -------------------------------------------------------------------------- who decides, and when

void Service::Core::standing_changed(const quorum::Standing& now) {
    if (timer_ && (!now.active || now.term != term_)) {
        timer_.reset();
        voters_.clear();
        stop_deciding({ErrorCode::not_controller, "another controller has become active"});
    }
    term_ = now.term;
    if (now.active && !timer_) {
        sessions_.begin(options_.now(), last_leader_);
        rebalanced_at_ = options_.now();
        look_after();
    }
    if (options_.on_standing) options_.on_standing(now);
}

/// Until the cluster is founded an active controller only gathers its voters.
void Service::Core::begin_deciding() {
    if (active() || stopped_ || !quorum_->standing().active) return;
    if (quorum_->image()->cluster_id().empty()) return found();
    head_ = quorum_->image();
}

void Service::Core::found() {
    if (!voters_.all_founders_vote(quorum_->raft().configuration())) return;
    // A majority has the newest configuration, so that no controller of an older one can found it
    // too.
    if (quorum_->raft().log().configuration_index() > quorum_->raft().committed()) return;
    head_ = quorum_->image();
    take({metadata::cluster_record(cluster_id_),
          metadata::feature_record(kMetadataVersion,
                                   supported_features().at(kMetadataVersion).most)},
         [](const Error&, int64_t) {});
}

void Service::Core::stop_deciding(const Error& why) {
    head_.reset();
    const auto& reason = failed_.code != ErrorCode::none ? failed_ : why;
    for (auto& p : std::exchange(pending_, {}))
        for (auto& done : p.done) done(reason, 0);
}

void Service::Core::failed(const base::Status& why) {
    failed_ = {ErrorCode::kafka_storage_error,
               "the metadata log can't be written: " + base::message(why)};
    stop_deciding(failed_);
    if (options_.on_failure) options_.on_failure(why);
}

void Service::Core::look_after() {
    timer_ = home_.after(kLook, [this] { look_after(); });
    step_voters();
    begin_deciding();
    if (!active()) return;
    for (const auto& broker : sessions_.expired(*head_, options_.now()))
        if (active()) fence(broker);
    if (active()) rebalance_if_due();
}

void Service::Core::step_voters() {
    voters_.step(*quorum_, [this](const raft::Member& member) { return is_mere_broker(member); });
}

void Service::Core::rebalance_if_due() {
    const auto configs = state().configs();
    const auto passed = options_.now() - rebalanced_at_;
    if (passed < configs.broker_int("leader.imbalance.check.interval.seconds") * 1000) return;
    if (!configs.broker_bool("auto.leader.rebalance.enable")) return;
    auto decision =
        rebalance(state(), configs.broker_int("leader.imbalance.per.broker.percentage"));
    if (!decision.more) rebalanced_at_ = options_.now();
    if (decision.records.empty()) return;
    spdlog::info("{} partitions are led by their first replicas again", decision.records.size());
    take(std::move(decision.records), [](const Error&, int64_t) {});
}

void Service::Core::heard(const raft::Member& from) {
    const auto& leader = quorum_->standing().leader;
    if (leader && from == *leader) last_leader_ = {base::BrokerId{from.id}, options_.now()};
}

void Service::Core::process_gone(base::BrokerId id) {
    if (!active()) return;
    const auto* broker = head_->broker(id);
    if (broker == nullptr || broker->fenced) return;
    const Sessions::Broker gone{id, broker->epoch};
    sessions_.lost(gone, options_.now());
    fence(gone);
}

void Service::Core::fence(const Sessions::Broker& broker) {
    auto decision = fence_broker(state(), broker.id, broker.epoch);
    if (!decision) return;
    spdlog::warn("broker {} is fenced: nothing is heard of it any more", broker.id.value);
    take(std::move(decision->records), [](const Error&, int64_t) {});
}

// ---------------------------------------------------------------------------------- what is
// decided

void Service::Core::take(Records records, Done done) {
    CHECK(active());
    if (records.empty()) {
        if (!pending_.empty()) {
            pending_.back().done.push_back(std::move(done));
            return;
        }
        return quorum_->read([self = shared_from_this(),
                              done = std::move(done)](bool leads) mutable {
            done(leads ? Error{} : self->not_active(), self->quorum_->image()->position().index);
        });
    }
    metadata::v1::Entry entry;
    metadata::Delta delta{head_};
    for (auto& r : records) {
        CHECK(delta.replay(r).ok()) << "a decision that does not fit: " << r.ShortDebugString();
        *entry.add_records() = std::move(r);
    }
    const auto position = quorum_->propose(entry.SerializeAsString());
    if (!position.ok()) return done(refused(position.error()), 0);
    if (!active()) return done(not_active(), 0);  // the log failed under it
    head_ = delta.apply({position->index, position->term});
    pending_.push_back({*position, {}});
    pending_.back().done.push_back(std::move(done));
}

void Service::Core::take_unconfirmed(Done done) {
    if (pending_.empty()) return done({}, quorum_->image()->position().index);
    pending_.back().done.push_back(std::move(done));
}

void Service::Core::take_change(const raft::Change& change, Records records, Done done) {
    const auto position = quorum_->change(change);
    if (!position.ok()) return done(refused(position.error()), 0);
    if (!active()) return done(not_active(), 0);  // the log failed under it
    pending_.push_back({*position, {}});
    if (!records.empty()) return take(std::move(records), std::move(done));
    pending_.back().done.push_back(std::move(done));
}

base::Status Service::Core::apply(const Application& application) {
    if (!quorum_->standing().active) return base::unavailable(not_active().message);
    RETURN_IF_ERROR(voters_.apply(*quorum_, application, quorum_->image()->cluster_id().empty()));
    step_voters();
    begin_deciding();
    return base::ok();
}

void Service::Core::applied(const quorum::Quorum::Applied& applied) {
    std::vector<Done> settled;
    const auto index = applied.image->position().index;
    const auto& positions = applied.positions;
    while (!pending_.empty() && pending_.front().position.index <= index) {
        Pending first = std::move(pending_.front());
        pending_.pop_front();
        const auto at = first.position.index - (positions.empty() ? 0 : positions.front().index);
        const bool ours = at >= 0 && static_cast<size_t>(at) < positions.size() &&
                          positions[static_cast<size_t>(at)] == first.position;
        CHECK(ours) << "entry " << first.position.index << " of term " << first.position.term
                    << " was replaced while its proposer was active";
        for (auto& done : first.done) settled.push_back(std::move(done));
    }
    auto delta =
        applied.delta ? applied.delta : metadata::Delta::between(published_, applied.image);
    published_ = applied.image;
    publish(delta, std::move(settled), index);
}

void Service::Core::publish(const std::shared_ptr<const metadata::Delta>& delta,
                            std::vector<Done> settled, int64_t index) {
    // Ends, and gives the answers, when the last subscriber lets go of it.
    struct Round {
        Round(std::shared_ptr<Core> c, std::vector<Done> d, int64_t i)
            : core(std::move(c)), settled(std::move(d)), index(i) {}
        ~Round() {
            if (settled.empty()) return;
            io::Shard& home = core->home_;
            home.post([settled = std::move(settled), index = index]() mutable {
                for (auto& done : settled) done({}, index);
            });
        }
        std::shared_ptr<Core> core;
        std::vector<Done> settled;
        int64_t index;
    };
    auto round = std::make_shared<Round>(shared_from_this(), std::move(settled), index);
    for (const auto& s : subscriptions_)
        s.shard->post([call = s.call, image = published_, delta, round] { (*call)(image, delta); });
}

void Service::Core::subscribe(io::Shard& shard, Subscriber subscriber) {
    auto call = std::make_shared<Subscriber>(std::move(subscriber));
    subscriptions_.push_back({&shard, call});
    shard.post([call, image = published_,
                delta = std::shared_ptr<const metadata::Delta>(metadata::Delta::between(
                    metadata::Image::empty(), published_))] { (*call)(image, delta); });
}

}  // namespace controller
