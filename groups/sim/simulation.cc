#include "groups/sim/simulation.h"

#include <algorithm>

namespace groups::sim {

using kafka::ErrorCode;

namespace {
constexpr base::InstantMs unrest_until = 150'000;
constexpr base::InstantMs settled_by = 330'000;
}  // namespace

Simulation::Simulation(uint64_t seed, bool trace) : world_(seed, trace) {
    // Swarm: each run has its own mix of troubles.
    loss_ = world_.chance(30) ? 0 : world_.below(8);
    slowest_ = 5 + world_.below(world_.chance(20) ? 3'000 : 200);
    slow_disk_ = 1 + world_.below(world_.chance(30) ? 3'000 : 50);
    failing_disk_ = world_.chance(40) ? world_.below(25) : 0;
    crashes_ = world_.chance(60) ? world_.below(6) : 0;
    unrest_ = 1 + world_.below(12);
    config_.initial_rebalance_delay_ms =
        world_.chance(50) ? 3'000 : static_cast<int32_t>(world_.below(500));
    config_.max_size = world_.chance(15) ? 2 : config_.max_size;
    config_.retention_ms = world_.chance(50) ? 20'000 : 3'600'000;
    const int partitions = 1 + static_cast<int>(world_.below(6));
    const bool cooperative = world_.chance(40);
    const int clients = 1 + static_cast<int>(world_.below(5));
    for (int i = 0; i < clients; ++i) {
        Client::Traits traits{.index = i, .group = "g", .partitions = partitions};
        traits.cooperative = cooperative;
        traits.session_timeout_ms = world_.chance(50) ? 10'000 : 6'000;
        traits.rebalance_timeout_ms = world_.chance(50) ? 20'000 : 8'000;
        if (world_.chance(40)) traits.instance_id = "static-" + std::to_string(i);
        traits.join_version =
            static_cast<int16_t>(traits.instance_id ? 5 + world_.below(5) : world_.below(10));
        // All support the same, in their own order: the log keeps only what was chosen, so that
        // after a failover a client without it would be refused, as by Kafka.
        traits.protocols = {"range", "roundrobin"};
        if (world_.chance(30)) std::reverse(traits.protocols.begin(), traits.protocols.end());
        clients_.push_back(std::make_unique<Client>(world_, *this, traits, next_offset_));
    }
    // Now and then a second process claims the name of a static member.
    if (clients_[0]->traits().instance_id && world_.chance(40)) {
        auto twin = clients_[0]->traits();
        twin.index = clients;
        clients_.push_back(std::make_unique<Client>(world_, *this, twin, next_offset_));
    }
    load();
    for (auto& c : clients_)
        world_.after(world_.below(2'000), [client = c.get()] { client->start(); });
    chaos();
    maintain();
    follow();
}

Simulation::~Simulation() = default;

// ------------------------------------------------------------------------------------- network

void Simulation::transport(Call call, int64_t timeout, Serve serve) {
    struct Once {
        Reply reply;
        bool done = false;
        void operator()(const Answer::Body* body) {
            if (!std::exchange(done, true)) reply(body);
        }
    };
    auto once = std::make_shared<Once>(Once{std::move(call.reply)});
    world_.after(timeout, [once] { (*once)(nullptr); });
    auto lost = [this] { return !quiet_ && world_.chance(loss_); };
    auto delay = [this] { return 1 + world_.below(quiet_ ? 20 : slowest_); };
    call.reply = [this, once, lost, delay](const Answer::Body* body) {
        if (lost()) return;
        world_.after(delay(), [once, body = *body] { (*once)(&body); });
    };
    const int copies = lost() ? 0 : lost() ? 2 : 1;
    for (int i = 0; i < copies; ++i)
        world_.after(delay(), [this, call, serve] {
            if (!groups_) return;  // nobody listens
            const auto id = ++last_request_;
            calls_.emplace(id, call);
            carry_out(serve(id));
        });
}

void Simulation::send(kafka::JoinGroupRequest request, int16_t version, int64_t timeout,
                      Reply reply) {
    Call call{std::move(reply), request.group_id, request.member_id, -1, {}};
    transport(std::move(call), timeout,
              [this, request = std::move(request), version](RequestId id) {
                  return groups_->join(world_.clocks(), request,
                                       {.request = id,
                                        .version = version,
                                        .client_id = "c",
                                        .client_host = "/h",
                                        .member_suffix = std::to_string(++last_suffix_)});
              });
}

void Simulation::send(kafka::SyncGroupRequest request, int16_t version, int64_t timeout,
                      Reply reply) {
    Call call{std::move(reply), request.group_id, request.member_id, request.generation_id, {}};
    transport(std::move(call), timeout,
              [this, request = std::move(request), version](RequestId id) {
                  return groups_->sync(world_.clocks(), request, id, version);
              });
}

void Simulation::send(kafka::HeartbeatRequest request, int64_t timeout, Reply reply) {
    Call call{std::move(reply), request.group_id, request.member_id, request.generation_id, {}};
    transport(std::move(call), timeout, [this, request = std::move(request)](RequestId id) {
        return groups_->heartbeat(world_.clocks(), request, id);
    });
}

void Simulation::send(kafka::LeaveGroupRequest request, int16_t version, int64_t timeout,
                      Reply reply) {
    Call call{std::move(reply), request.group_id, request.member_id, -1, {}};
    transport(std::move(call), timeout,
              [this, request = std::move(request), version](RequestId id) {
                  return groups_->leave(world_.clocks(), request, id, version);
              });
}

void Simulation::send(kafka::OffsetCommitRequest request, int16_t version, int64_t timeout,
                      Reply reply) {
    // Known where it comes in; the topic may be another by the time it arrives.
    for (auto& topic : request.topics)
        if (topic.name == "t") topic.topic_id = topic_id_;
    Call call{std::move(reply),
              request.group_id,
              request.member_id,
              request.generation_id_or_member_epoch,
              {}};
    for (const auto& topic : request.topics)
        for (const auto& p : topic.partitions)
            call.positions.push_back(
                {{request.group_id, topic.name, p.partition_index}, p.committed_offset});
    transport(std::move(call), timeout,
              [this, request = std::move(request), version](RequestId id) {
                  const auto expected = expected_commit(request);
                  auto effects = groups_->commit(world_.clocks(), request, id, version);
                  check_commit(request, effects, expected);
                  return effects;
              });
}

// --------------------------------------------------------------------------------- coordinator

void Simulation::carry_out(Effects effects) {
    for (auto& write : effects.writes) append(std::move(write));
    for (const auto& answer : effects.answers) {
        auto node = calls_.extract(answer.to);
        if (node.empty()) {
            broken("two answers to one request");
            continue;
        }
        check_answer(answer, node.mapped());
        node.mapped().reply(&answer.body);
    }
    wake();
}

void Simulation::append(Write write) {
    if (!quiet_ && world_.chance(failing_disk_)) {
        // Refused for certain. The news may come at once or late, but the log never had it.
        world_.after(world_.below(2) * world_.below(slow_disk_),
                     [this, id = write.id, life = life_] {
                         if (life != life_ || !groups_) return;
                         world_.trace("write %llu failed", static_cast<unsigned long long>(id));
                         const auto why = world_.chance(80) ? ErrorCode::not_enough_replicas
                                                            : ErrorCode::message_too_large;
                         carry_out(groups_->persisted(world_.clocks(), id, why));
                     });
        return;
    }
    for (size_t i = 0; i < write.records.size(); ++i)
        tail_.push_back(
            {std::move(write.records[i]), i + 1 == write.records.size() ? write.id : 0});
    world_.after(1 + world_.below(quiet_ ? 5 : slow_disk_),
                 [this, life = life_] { make_durable(life); });
}

/// A sync makes everything appended so far durable, or some of it.
void Simulation::make_durable(uint64_t life) {
    if (life != life_ || !groups_) return;
    size_t writes = 0;
    for (const auto& a : tail_) writes += a.last_of != 0 ? 1 : 0;
    for (auto left = writes == 0 ? 0 : 1 + world_.below(static_cast<int64_t>(writes));
         left > 0 && !tail_.empty();) {
        auto appended = std::move(tail_.front());
        tail_.pop_front();
        if (auto what = ghost_.durable(appended.record)) broken(*what);
        log_.push_back(std::move(appended.record));
        if (appended.last_of == 0) continue;
        --left;
        carry_out(groups_->persisted(world_.clocks(), appended.last_of, ErrorCode::none));
    }
    if (!tail_.empty())
        world_.after(1 + world_.below(quiet_ ? 5 : slow_disk_),
                     [this, life] { make_durable(life); });
}

void Simulation::wake() {
    if (!groups_) return;
    const auto at = groups_->alarm();
    if (at == Group::never || at >= woken_at_) return;
    woken_at_ = at;
    world_.after(std::max<int64_t>(at - world_.now(), 0), [this, at, life = life_] {
        if (life != life_ || !groups_ || woken_at_ != at) return;
        woken_at_ = Group::never;
        carry_out(groups_->tick(world_.clocks()));
    });
}

/// The coordinator ends; what was appended but not durable is kept from the front, or lost.
void Simulation::crash(bool loses_tail) {
    world_.trace("the coordinator ends, %zu records not durable", tail_.size());
    ++totals_.failovers;
    if (world_.chance(50)) carry_out(groups_->end(world_.clocks(), ErrorCode::not_coordinator));
    ++life_;
    groups_.reset();
    calls_.clear();
    woken_at_ = Group::never;
    // A batch is whole or not there.
    size_t keep = loses_tail
                      ? static_cast<size_t>(world_.below(static_cast<int64_t>(tail_.size()) + 1))
                      : tail_.size();
    while (keep > 0 && tail_[keep - 1].last_of == 0) --keep;
    tail_.resize(keep);
    world_.after(loses_tail ? world_.below(8'000) : 0, [this] { load(); });
}

void Simulation::load() {
    for (auto& appended : tail_) {
        if (auto what = ghost_.durable(appended.record)) broken(*what);
        log_.push_back(std::move(appended.record));
    }
    tail_.clear();
    const bool takes_over = replica_ != nullptr && world_.chance(70);
    groups_ = takes_over ? std::move(replica_) : std::make_unique<Groups>(config_);
    replay(*groups_, takes_over ? replica_next_ : 0, log_.size());
    totals_.taken_over += takes_over ? 1 : 0;
    replica_ = std::make_unique<Groups>(config_);
    replica_next_ = 0;
    generations_.clear();
    joined_.clear();
    if (auto what = ghost_.check_loaded(*groups_)) broken("after loading: " + *what);
    if (auto what = differs_from_a_fresh_replay()) broken("after loading: " + *what);
    carry_out(groups_->loaded(world_.clocks()));
    for (const auto& value : {"g", "alone"})
        if (const auto* group = groups_->find(value))
            for (const auto& [id, member] : group->members())
                if (member.session_deadline &&
                    *member.session_deadline != world_.now() + member.session_timeout_ms)
                    broken(id + ": its session does not count from when the coordinator took over");
    drop_outlived();
}

void Simulation::replay(Groups& groups, size_t from, size_t to) const {
    for (size_t i = from; i < to; ++i) {
        const auto& record = log_[i];
        auto parsed = parse(record.key,
                            record.value ? std::optional<base::View>(*record.value) : std::nullopt);
        if (parsed.ok()) groups.replay(*std::move(parsed), world_.clocks());
    }
}

void Simulation::follow() {
    world_.after(50 + world_.below(2'000), [this] { follow(); });
    if (!replica_) return;
    const auto to =
        replica_next_ +
        static_cast<size_t>(world_.below(static_cast<int64_t>(log_.size() - replica_next_) + 1));
    replay(*replica_, replica_next_, to);
    replica_next_ = to;
}

std::optional<std::string> Simulation::differs_from_a_fresh_replay() const {
    Groups fresh(config_);
    replay(fresh, 0, log_.size());
    if (fresh.offsets().durable() != groups_->offsets().durable()) return "other positions";
    if (fresh.size() != groups_->size()) return "other groups";
    for (const auto& one : fresh.list({})) {
        const auto* group = groups_->find(one.group_id);
        const auto* as_read = fresh.find(one.group_id);
        if (group == nullptr || group->describe() != as_read->describe() ||
            group->generation() != as_read->generation())
            return one.group_id + ": not as a fresh replay has it";
    }
    return {};
}

// -------------------------------------------------------------------------------------- events

void Simulation::chaos() {
    if (quiet_) return;
    world_.after(100 + world_.below(400), [this] { chaos(); });
    auto& client =
        *clients_[static_cast<size_t>(world_.below(static_cast<int64_t>(clients_.size())))];
    if (!client.up()) {
        if (world_.chance(20)) client.start();
        return;
    }
    if (world_.chance(40)) client.commit();
    if (world_.chance(20)) client.commit_as_zombie();
    if (world_.chance(10)) commit_alone();
    if (world_.chance(crashes_) && groups_) crash(world_.chance(70));
    if (!world_.chance(unrest_)) return;
    switch (world_.below(6)) {
        case 0:
            return client.crash();
        case 1:
            return client.leave();
        case 2:
            return client.rejoin(true);
        case 3:
            return client.rejoin(false);
        case 4:
            return client.pause(world_.below(15'000));
        case 5: {  // a quick restart, as a rolling upgrade does
            client.crash();
            return client.start();
        }
    }
}

/// A consumer that manages its partitions itself, in a group of its own.
void Simulation::commit_alone() {
    kafka::OffsetCommitRequest request;
    request.group_id = world_.chance(80) ? "alone" : "g";
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    auto& partition = topic.partitions.emplace_back();
    partition.committed_offset = ++next_offset_;
    send(std::move(request), 8, 5'000, [](const Answer::Body*) {});
}

void Simulation::maintain() {
    world_.after(5'000, [this] { maintain(); });
    if (!quiet_ && world_.chance(10)) make_topic_anew();
    if (!groups_) return;
    expire();
    drop_outlived();
    if (quiet_ || !world_.chance(5)) return;
    const auto id = ++last_request_;
    const std::string group = world_.chance(50) ? "alone" : "g";
    calls_.emplace(id, Call{[](const Answer::Body*) {}, group, "", -1, {}});
    const auto* before = groups_->find(group);
    const bool empty = before != nullptr && before->state() == Group::State::empty;
    auto effects = groups_->delete_group(world_.clocks(), group, id);
    if (!effects.writes.empty() && !empty) broken("a group with members was deleted");
    carry_out(std::move(effects));
}

std::optional<std::string> Simulation::run() {
    while (!broken_ && world_.step(unrest_until)) {
        ++totals_.events;
        check();
    }
    quiet_ = true;
    world_.trace("quiet");
    // A cooperative member that was to ask for the second step may have been fenced before it did.
    for (auto& c : clients_) world_.after(60'000, [client = c.get()] { client->rejoin(true); });
    if (!groups_ && !broken_) load();
    const auto twins = clients_[0]->traits().instance_id;
    for (size_t i = 0; i < clients_.size(); ++i)
        // Of two that claim one name, one must end; and a full group takes no more.
        if (i > 0 && twins && clients_[i]->traits().instance_id == twins) clients_[i]->crash();
        else if (static_cast<int32_t>(i) >= config_.max_size) clients_[i]->crash();
        else if (!clients_[i]->up()) clients_[i]->start();
    while (!broken_ && world_.step(settled_by)) {
        ++totals_.events;
        check();
    }
    if (!broken_) check_settled();
    totals_.records = ghost_.records();
    return broken_;
}

}  // namespace groups::sim
