#include "controller/brokers.h"

#include <optional>

#include "controller/elections.h"
#include "metadata/records.h"

namespace controller {

namespace {

using kafka::Error;
using kafka::ErrorCode;

constexpr int32_t kProducerIdBlock = 1000;

std::optional<Error> stale(const State& state, base::BrokerId id, int64_t epoch) {
    const metadata::Broker* broker = state.image.broker(id);
    std::string who = "broker " + std::to_string(id.value);
    if (!broker) return Error{ErrorCode::broker_id_not_registered, who + " is not registered"};
    if (broker->epoch != epoch)
        return Error{ErrorCode::stale_broker_epoch,
                     who + " registered anew, under epoch " + std::to_string(broker->epoch)};
    return std::nullopt;
}

}  // namespace

kafka::Outcome<Decision<int64_t>> register_broker(const State& state, metadata::Broker broker,
                                                  int64_t index, bool session_alive) {
    const metadata::Broker* old = state.image.broker(broker.id);
    if (old && !old->fenced && session_alive && old->incarnation != broker.incarnation)
        return Error{ErrorCode::duplicate_broker_registration,
                     "another process serves as broker " + std::to_string(broker.id.value)};
    broker.epoch = index;
    broker.fenced = true;
    broker.in_controlled_shutdown = false;
    Decision<int64_t> d{{metadata::broker_record(broker)}, index};
    for (const auto& [name, topic] : state.image.topics()) {
        for (const auto& p : topic->partitions) {
            if (p->leader != broker.id) continue;
            auto alive = [&](base::BrokerId id) {
                return id != broker.id && state.image.active(id);
            };
            if (auto record = leader_change(topic->id, *p, elect(*p, alive)))
                d.records.push_back(*std::move(record));
        }
    }
    return d;
}

kafka::Outcome<Decision<std::monostate>> unfence_broker(const State& state, base::BrokerId id,
                                                        int64_t epoch) {
    if (auto error = stale(state, id, epoch)) return *error;
    Decision<std::monostate> d;
    if (!state.image.broker(id)->fenced) return d;
    v1::Record unfenced;
    unfenced.mutable_broker_change()->set_broker_id(id.value);
    unfenced.mutable_broker_change()->set_broker_epoch(epoch);
    unfenced.mutable_broker_change()->set_fenced(false);
    d.records.push_back(std::move(unfenced));
    auto alive = [&](base::BrokerId other) { return other == id || state.image.active(other); };
    for (const auto& [name, topic] : state.image.topics()) {
        for (const auto& p : topic->partitions) {
            if (p->leader != metadata::kNoBroker) continue;
            if (auto record = leader_change(topic->id, *p, elect(*p, alive)))
                d.records.push_back(*std::move(record));
        }
    }
    return d;
}

kafka::Outcome<Decision<ProducerIdBlock>> allocate_producer_ids(const State& state,
                                                                base::BrokerId id, int64_t epoch) {
    if (auto error = stale(state, id, epoch)) return *error;
    int64_t first = state.image.next_producer_id();
    if (first > INT64_MAX - kProducerIdBlock)
        return Error{ErrorCode::unknown_server_error, "no producer ids are left"};
    return Decision<ProducerIdBlock>{
        {metadata::producer_ids_record(first + kProducerIdBlock, id, epoch)},
        {first, kProducerIdBlock}};
}

}  // namespace controller
