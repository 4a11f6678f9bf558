#include "controller/partitions.h"

#include <algorithm>
#include <map>

#include "controller/broker_ids.h"
#include "controller/brokers.h"
#include "controller/elections.h"

namespace controller {

namespace {

using base::BrokerId;
using kafka::ErrorCode;
using metadata::Partition;
using Request = kafka::AlterPartitionRequest;
using Response = kafka::AlterPartitionResponse;
using Members = std::vector<Request::BrokerState>;

constexpr int64_t kAnyEpoch = -1;
constexpr int8_t kRecovering = 1;

/// The proposed ISR; before version 3 without epochs.
Members members(const Request::PartitionData& asked) {
    if (!asked.new_isr_with_epochs.empty()) return asked.new_isr_with_epochs;
    Members out;
    for (int32_t id : asked.new_isr) out.push_back({id, kAnyEpoch});
    return out;
}

bool has(const Members& isr, BrokerId id) {
    return std::ranges::find(isr, id.value, &Request::BrokerState::broker_id) != isr.end();
}

/// One that resigns leaves the rest as it is.
bool fits(const Partition& p, const Members& isr) {
    for (auto at = isr.begin(); at != isr.end(); ++at) {
        if (std::ranges::find(p.replicas, BrokerId{at->broker_id}) == p.replicas.end())
            return false;
        if (std::find_if(isr.begin(), at,
                         [&](const auto& m) { return m.broker_id == at->broker_id; }) != at)
            return false;
    }
    return has(isr, p.leader) ||
           (isr.size() + 1 == p.isr.size() && std::ranges::all_of(p.isr, [&](BrokerId id) {
                return id == p.leader || has(isr, id);
            }));
}

bool eligible(const metadata::Image& image, const Request::BrokerState& member) {
    const metadata::Broker* broker = image.broker(BrokerId{member.broker_id});
    return broker && image.active(broker->id) &&
           (member.broker_epoch == kAnyEpoch || member.broker_epoch == broker->epoch);
}

ErrorCode refusal(const State& state, const Partition& p, BrokerId asks,
                  const Request::PartitionData& asked) {
    if (asked.leader_epoch > p.leader_epoch || asked.partition_epoch > p.partition_epoch)
        return ErrorCode::not_controller;
    if (asked.leader_epoch < p.leader_epoch) return ErrorCode::fenced_leader_epoch;
    if (asks != p.leader) return ErrorCode::invalid_request;
    if (asked.partition_epoch < p.partition_epoch) return ErrorCode::invalid_update_version;
    const Members isr = members(asked);
    if (!fits(p, isr)) return ErrorCode::invalid_request;
    const bool recovering = asked.leader_recovery_state == kRecovering;
    if (recovering && (isr.size() > 1 || !p.recovering)) return ErrorCode::invalid_request;
    if (has(isr, p.leader) &&
        !std::ranges::all_of(isr, [&](const auto& m) { return eligible(state.image, m); }))
        return ErrorCode::ineligible_replica;
    return ErrorCode::none;
}

Partition altered(const State& state, const metadata::Topic& topic, const Partition& p,
                  const Request::PartitionData& asked, const TopicRules& rules) {
    Change change(p);
    change.isr.clear();
    for (const auto& m : members(asked)) change.isr.push_back(BrokerId{m.broker_id});
    // In one order always, so that the same set is the same row.
    std::ranges::sort(change.isr, {}, [&](BrokerId id) {
        return std::ranges::find(p.replicas, id) - p.replicas.begin();
    });
    if (asked.leader_recovery_state != kRecovering) change.recovering = false;
    const bool resigns = !contains(change.isr, p.leader);
    if (resigns) change.unclean = p.leader;
    else if (rules.unclean_elections(topic)) change.election = Election::unclean;
    return decide(p, std::move(change), topic, rules, [&](BrokerId id) {
        return state.image.active(id) && !(resigns && id == p.leader);
    });
}

void tell(const Partition& p, Response::PartitionData& row) {
    row.leader_id = p.leader.value;
    row.leader_epoch = p.leader_epoch;
    for (auto id : p.isr) row.isr.push_back(id.value);
    row.leader_recovery_state = p.recovering ? kRecovering : 0;
    row.partition_epoch = p.partition_epoch;
}

}  // namespace

Decision<Response> alter_partitions(const State& state, const Request& request) {
    Decision<Response> d;
    const BrokerId asks{request.broker_id};
    if (auto error = stale_epoch(state, asks, request.broker_epoch)) {
        d.response.error_code = error->code;
        return d;
    }
    const TopicRules rules(state);
    std::map<base::TopicPartition, Partition> changed;  // by this request
    for (const auto& asked_topic : request.topics) {
        auto& answer = d.response.topics.emplace_back();
        answer.topic_id = asked_topic.topic_id;
        const auto topic = state.image.topic(asked_topic.topic_id);
        for (const auto& asked : asked_topic.partitions) {
            auto& row = answer.partitions.emplace_back();
            row.partition_index = asked.partition_index;
            const Partition* p = topic ? topic->partition(asked.partition_index) : nullptr;
            if (!p) {
                row.error_code =
                    topic ? ErrorCode::unknown_topic_or_partition : ErrorCode::unknown_topic_id;
                continue;
            }
            const base::TopicPartition id{topic->id, p->index};
            if (auto it = changed.find(id); it != changed.end()) p = &it->second;
            row.error_code = refusal(state, *p, asks, asked);
            if (row.error_code != ErrorCode::none) continue;
            Partition next = altered(state, *topic, *p, asked, rules);
            if (next.leader == metadata::kNoBroker) {
                row.error_code = ErrorCode::eligible_leaders_not_available;
                continue;
            }
            // The same row again is a new one, too: no older proposal for it is taken after.
            if (next == *p) ++next.partition_epoch;
            d.records.push_back(*change_record(topic->id, *p, next));
            if (next.leader != asks) row.error_code = ErrorCode::new_leader_elected;
            else tell(next, row);
            changed.insert_or_assign(id, std::move(next));
        }
    }
    return d;
}

}  // namespace controller
