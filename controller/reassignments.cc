#include "controller/reassignments.h"

#include <algorithm>
#include <set>

#include "controller/broker_ids.h"
#include "controller/elections.h"
#include "controller/placement.h"

namespace controller {

namespace {

using base::BrokerId;
using kafka::Error;
using kafka::ErrorCode;
using metadata::Partition;
using Ids = BrokerIds;
using Request = kafka::AlterPartitionReassignmentsRequest;
using Response = kafka::AlterPartitionReassignmentsResponse;
using ListResponse = kafka::ListPartitionReassignmentsResponse;

Ids broker_ids(const std::vector<int32_t>& ids) {
    Ids out;
    for (int32_t id : ids) out.push_back(BrokerId{id});
    return out;
}

std::vector<int32_t> plain(const Ids& ids) {
    std::vector<int32_t> out;
    for (auto id : ids) out.push_back(id.value);
    return out;
}

bool moving(const Partition& p) {
    return !p.adding_replicas.empty() || !p.removing_replicas.empty();
}

/// Begins a move. Replicas that an earlier move was adding and this one doesn't want are both added
/// and removed: they go with the end of the move, or when it is taken back.
Change begun(const Partition& p, const Ids& target) {
    const Ids origin = without(p.replicas, p.adding_replicas);
    Change change(p);
    change.replicas = target;
    for (auto id : without(p.replicas, target)) change.replicas.push_back(id);
    change.adding = without(change.replicas, origin);
    change.removing = without(change.replicas, target);
    return change;
}

Change taken_back(const Partition& p) {
    Change change(p);
    change.replicas = without(p.replicas, p.adding_replicas);
    change.isr = without(p.isr, p.adding_replicas);
    change.adding.clear();
    change.removing.clear();
    return change;
}

struct Asked {
    const State& state;
    const TopicRules rules;
    const bool other_counts;  // of replicas are allowed
    Records& records;
};

Error alter(const Asked& asked, const metadata::Topic& topic, const Partition& p,
            const std::optional<std::vector<int32_t>>& replicas) {
    if (!replicas && !moving(p))
        return {ErrorCode::no_reassignment_in_progress, "the partition is not being moved"};
    if (replicas) {
        if (auto e = refused_assignment(asked.state.image, broker_ids(*replicas))) return *e;
        const size_t now = without(p.replicas, p.adding_replicas).size();
        if (!asked.other_counts && replicas->size() != now)
            return {ErrorCode::invalid_replication_factor,
                    "the partition has " + std::to_string(now) + " replicas, not " +
                        std::to_string(replicas->size())};
    }
    Change change = replicas ? begun(p, broker_ids(*replicas)) : taken_back(p);
    const bool only_the_last_leader = p.isr.empty() && p.elr.empty();
    const bool drops_an_eligible_leader =
        change.isr.size() < p.isr.size() || !without(p.elr, change.replicas).empty() ||
        (only_the_last_leader && !without(p.last_known_elr, change.replicas).empty());
    if (drops_an_eligible_leader) {
        const auto least =
            std::min(static_cast<size_t>(asked.rules.min_isr(topic)), change.replicas.size());
        if (change.isr.size() < std::max<size_t>(least, 1))
            return {ErrorCode::invalid_replica_assignment,
                    "the replicas that the partition came from have " +
                        std::to_string(change.isr.size()) + " in sync: too few to go back"};
    }
    const auto next = decide(p, std::move(change), topic, asked.rules,
                             [&](BrokerId id) { return asked.state.image.active(id); });
    if (auto record = change_record(topic.id, p, next)) asked.records.push_back(*std::move(record));
    return {};
}

void list(const metadata::Topic& topic, const std::set<int32_t>* only, ListResponse& response) {
    ListResponse::OngoingTopicReassignment rows{topic.name, {}};
    for (const auto& p : topic.partitions)
        if (moving(*p) && (!only || only->contains(p->index)))
            rows.partitions.push_back({.partition_index = p->index,
                                       .replicas = plain(p->replicas),
                                       .adding_replicas = plain(p->adding_replicas),
                                       .removing_replicas = plain(p->removing_replicas)});
    if (!rows.partitions.empty()) response.topics.push_back(std::move(rows));
}

}  // namespace

Decision<Response> alter_reassignments(const State& state, const Request& request) {
    Decision<Response> d;
    d.response.error_message.reset();
    d.response.allow_replication_factor_change = request.allow_replication_factor_change;
    const Asked asked{state, TopicRules(state), request.allow_replication_factor_change, d.records};
    std::set<std::pair<std::string, int32_t>> seen;
    for (const auto& wanted : request.topics) {
        auto& answer = d.response.responses.emplace_back();
        answer.name = wanted.name;
        const auto topic = state.image.topic(wanted.name);
        for (const auto& one : wanted.partitions) {
            auto& row = answer.partitions.emplace_back();
            row.partition_index = one.partition_index;
            const auto* p = topic ? topic->partition(one.partition_index) : nullptr;
            Error error;
            if (!seen.emplace(wanted.name, one.partition_index).second)
                error = {ErrorCode::invalid_request, "the partition stands twice in the request"};
            else if (!p)
                error = {ErrorCode::unknown_topic_or_partition, "there is no such partition"};
            else error = alter(asked, *topic, *p, one.replicas);
            row.error_code = error.code;
            if (error.code == ErrorCode::none) row.error_message.reset();
            else row.error_message = std::move(error.message);
        }
    }
    return d;
}

ListResponse list_reassignments(const State& state,
                                const kafka::ListPartitionReassignmentsRequest& request) {
    ListResponse response;
    response.error_message.reset();
    if (!request.topics) {
        for (const auto& [name, topic] : state.image.topics()) list(*topic, nullptr, response);
        return response;
    }
    for (const auto& wanted : *request.topics) {
        const std::set<int32_t> only(wanted.partition_indexes.begin(),
                                     wanted.partition_indexes.end());
        if (auto topic = state.image.topic(wanted.name)) list(*topic, &only, response);
    }
    return response;
}

}  // namespace controller
