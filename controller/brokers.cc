#include "controller/brokers.h"

#include <algorithm>
#include <iterator>

#include "controller/elections.h"
#include "metadata/records.h"

namespace controller {

namespace {

using base::BrokerId;
using kafka::Error;
using kafka::ErrorCode;
using metadata::Broker;

constexpr int32_t kProducerIdBlock = 1000;

void append(Records& to, Records more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::optional<Error> unfit(const State& state, const Broker& broker) {
    if (broker.id.value < 0)
        return Error{ErrorCode::invalid_request, "a broker's id is 0 or greater"};
    for (const auto& [name, levels] : broker.features)
        if (levels.least < 0 || levels.least > levels.most)
            return Error{ErrorCode::invalid_request, "feature " + name + " has no levels"};
    for (const auto& [name, level] : state.image.features()) {
        auto it = broker.features.find(name);
        const bool silent = it == broker.features.end();
        const bool fits =
            silent ? level == 1 : level >= it->second.least && level <= it->second.most;
        if (!fits)
            return Error{ErrorCode::unsupported_version,
                         "broker " + std::to_string(broker.id.value) + " can't work with " + name +
                             " " + std::to_string(level)};
    }
    return std::nullopt;
}

Records fencing(const State& state, const Broker& broker) {
    if (broker.fenced) return {};
    Records records{metadata::broker_change_record(broker, true, std::nullopt)};
    append(records, shift(state, {broker.id, Shift::leaves}));
    return records;
}

/// Takes it into service. A shutdown that it no longer wants ends here.
Records entering(const State& state, const Broker& broker) {
    if (!broker.fenced && !broker.in_controlled_shutdown) return {};
    const auto no_longer = [](bool it_is) { return it_is ? std::optional(false) : std::nullopt; };
    Records records{metadata::broker_change_record(broker, no_longer(broker.fenced),
                                                   no_longer(broker.in_controlled_shutdown))};
    append(records, shift(state, {broker.id, Shift::joins}));
    return records;
}

/// By the log directories that both registrations tell of.
struct Kept {
    bool all = true;
    bool none = false;
};
Kept kept(const Broker& old, const Broker& now) {
    if (old.log_dirs.empty() || now.log_dirs.empty()) return {};
    const auto same = static_cast<size_t>(std::ranges::count_if(old.log_dirs, [&](const auto& id) {
        return std::ranges::find(now.log_dirs, id) != now.log_dirs.end();
    }));
    return {same == old.log_dirs.size(), same == 0};
}

/// How a process that starts leaves what it was a part of.
Shift::Kind leaving(const Broker* old, const Registration& r) {
    const Kept dirs = old ? kept(*old, r.broker) : Kept{};
    if (dirs.none) return Shift::leaves_blank;
    const bool orderly = old && old->epoch == r.previous_epoch && dirs.all;
    return orderly ? Shift::leaves : Shift::leaves_unclean;
}

bool has_new_disk(const Broker* old, Shift::Kind leaves) {
    return leaves == Shift::leaves_blank || (old && old->new_disk && leaves != Shift::leaves);
}

/// One step of a controlled shutdown.
Decision<HeartbeatAnswer> withdraw(const State& state, const Broker& broker,
                                   const Withdrawal& known, size_t most) {
    Decision<HeartbeatAnswer> d;
    d.response.fenced = broker.fenced;
    if (!broker.fenced) {
        Records moved = shift(state, {broker.id, Shift::leaves}, most);
        if (!broker.in_controlled_shutdown)
            d.records.push_back(metadata::broker_change_record(broker, std::nullopt, true));
        d.response.more_to_move = moved.size() >= most;
        append(d.records, std::move(moved));
        d.response.leads_nothing = !d.response.more_to_move;
        if (!d.records.empty() || !known.done || known.seen_by_all < *known.done) return d;
        d.records = fencing(state, broker);
    }
    d.response = {.fenced = true, .may_stop = true, .leads_nothing = true};
    return d;
}

}  // namespace

std::optional<Error> stale_epoch(const State& state, BrokerId id, int64_t epoch) {
    const Broker* broker = state.image.broker(id);
    std::string who = "broker " + std::to_string(id.value);
    if (!broker) return Error{ErrorCode::broker_id_not_registered, who + " is not registered"};
    if (broker->epoch != epoch)
        return Error{ErrorCode::stale_broker_epoch,
                     who + " registered anew, under epoch " + std::to_string(broker->epoch)};
    return std::nullopt;
}

kafka::Outcome<Decision<int64_t>> register_broker(const State& state, Registration r, int64_t index,
                                                  bool session_alive) {
    Broker& broker = r.broker;
    const Broker* old = state.image.broker(broker.id);
    const bool same = old && old->incarnation == broker.incarnation;
    if (old && !same && session_alive)
        return Error{ErrorCode::duplicate_broker_registration,
                     "another process serves as broker " + std::to_string(broker.id.value)};
    if (auto e = unfit(state, broker)) return *e;
    broker.epoch = same ? old->epoch : index;
    broker.fenced = same ? old->fenced : true;
    broker.in_controlled_shutdown = same && old->in_controlled_shutdown;
    const auto leaves = leaving(old, r);
    broker.new_disk = same ? old->new_disk : has_new_disk(old, leaves);
    Decision<int64_t> d{{}, broker.epoch};
    if (same && *old == broker) return d;
    d.records.push_back(metadata::broker_record(broker));
    if (same) return d;
    append(d.records, shift(state, {broker.id, leaves}));
    return d;
}

kafka::Outcome<Decision<std::monostate>> fence_broker(const State& state, BrokerId id,
                                                      int64_t epoch) {
    if (auto error = stale_epoch(state, id, epoch)) return *error;
    return Decision<std::monostate>{fencing(state, *state.image.broker(id)), {}};
}

kafka::Outcome<Decision<std::monostate>> unregister_broker(const State& state, BrokerId id) {
    const Broker* broker = state.image.broker(id);
    if (!broker)
        return Error{ErrorCode::broker_id_not_registered,
                     "broker " + std::to_string(id.value) + " is not registered"};
    Decision<std::monostate> d{shift(state, {id, Shift::leaves}), {}};
    d.records.push_back(metadata::unregister_broker_record(*broker));
    // The defaults depend on how many brokers there are.
    forget_elr(state, d.records);
    return d;
}

kafka::Outcome<Decision<HeartbeatAnswer>> heartbeat(const State& state, const Heartbeat& beat,
                                                    const Withdrawal& known, size_t most) {
    if (auto error = stale_epoch(state, beat.broker, beat.epoch)) return *error;
    const Broker& broker = *state.image.broker(beat.broker);
    Decision<HeartbeatAnswer> d;
    if (beat.wants_shutdown) {
        d = withdraw(state, broker, known, most);
    } else if (beat.wants_fence) {
        if (!broker.fenced && is_spared(state, broker.id)) d.records = fencing(state, broker);
        d.response.fenced = broker.fenced || !d.records.empty();
    } else if (beat.metadata_index >= broker.epoch) {
        d.records = entering(state, broker);
        d.response.fenced = false;
    } else {
        d.response.fenced = broker.fenced;
    }
    d.response.caught_up = beat.metadata_index >= state.image.position().index;
    return d;
}

kafka::Outcome<Decision<ProducerIdBlock>> allocate_producer_ids(const State& state, BrokerId id,
                                                                int64_t epoch) {
    if (auto error = stale_epoch(state, id, epoch)) return *error;
    int64_t first = state.image.next_producer_id();
    if (first > INT64_MAX - kProducerIdBlock)
        return Error{ErrorCode::unknown_server_error, "no producer ids are left"};
    return Decision<ProducerIdBlock>{
        {metadata::producer_ids_record(first + kProducerIdBlock, id, epoch)},
        {first, kProducerIdBlock}};
}

}  // namespace controller
