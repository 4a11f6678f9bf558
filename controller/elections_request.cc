#include <set>
#include <string>

#include "controller/elections.h"

namespace controller {

namespace {

using base::BrokerId;
using kafka::Error;
using kafka::ErrorCode;
using Response = kafka::ElectLeadersResponse;

enum Kind : int8_t { preferred = 0, unclean = 1 };

struct Asked {
    const State& state;
    const TopicRules rules;
    const int8_t kind;
    Records& records;
};

Error elect(const Asked& asked, const metadata::Topic& topic, const metadata::Partition& p) {
    if (asked.kind == preferred && p.leader == p.replicas.front())
        return {ErrorCode::election_not_needed, "the preferred replica leads"};
    if (asked.kind == unclean && p.leader != metadata::kNoBroker)
        return {ErrorCode::election_not_needed, "the partition has a leader"};
    Change change(p);
    change.election = asked.kind == preferred ? Election::preferred : Election::unclean;
    const auto next = decide(p, std::move(change), topic, asked.rules,
                             [&](BrokerId id) { return asked.state.image.active(id); });
    if (asked.kind == preferred && next.leader != p.replicas.front())
        return {ErrorCode::preferred_leader_not_available,
                "the preferred replica is not in sync, or not in service"};
    if (next.leader == metadata::kNoBroker)
        return {ErrorCode::eligible_leaders_not_available, "no replica is in service"};
    if (auto record = change_record(topic.id, p, next)) asked.records.push_back(*std::move(record));
    return {};
}

Response::PartitionResult result(int32_t index, Error error) {
    Response::PartitionResult out;
    out.partition_id = index;
    out.error_code = error.code;
    if (error.code == ErrorCode::none) out.error_message.reset();
    else out.error_message = std::move(error.message);
    return out;
}

void elect_everywhere(const Asked& asked, Response& response) {
    for (const auto& [name, topic] : asked.state.image.topics()) {
        Response::ReplicaElectionResult rows{name, {}};
        for (const auto& p : topic->partitions) {
            Error error = elect(asked, *topic, *p);
            if (error.code != ErrorCode::election_not_needed)
                rows.partition_result.push_back(result(p->index, std::move(error)));
        }
        if (!rows.partition_result.empty())
            response.replica_election_results.push_back(std::move(rows));
    }
}

}  // namespace

Decision<Response> elect_leaders(const State& state, const kafka::ElectLeadersRequest& request) {
    Decision<Response> d;
    if (request.election_type != preferred && request.election_type != unclean) {
        d.response.error_code = ErrorCode::invalid_request;
        return d;
    }
    const Asked asked{state, TopicRules(state), request.election_type, d.records};
    if (!request.topic_partitions) {
        elect_everywhere(asked, d.response);
        return d;
    }
    std::set<std::pair<std::string, int32_t>> done;
    for (const auto& wanted : *request.topic_partitions) {
        auto& rows = d.response.replica_election_results.emplace_back();
        rows.topic = wanted.topic;
        const auto topic = state.image.topic(wanted.topic);
        for (int32_t index : wanted.partitions) {
            if (!done.emplace(wanted.topic, index).second) continue;
            const auto* p = topic ? topic->partition(index) : nullptr;
            rows.partition_result.push_back(
                result(index, p ? elect(asked, *topic, *p)
                                : Error{ErrorCode::unknown_topic_or_partition,
                                        "there is no partition " + std::to_string(index) + " of " +
                                            wanted.topic.substr(0, 249)}));
        }
    }
    return d;
}

}  // namespace controller
