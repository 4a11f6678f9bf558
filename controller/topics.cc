#include "controller/topics.h"

#include <algorithm>
#include <map>
#include <set>

#include "controller/configs.h"
#include "controller/names.h"
#include "controller/placement.h"
#include "metadata/records.h"

namespace controller {

namespace {

using base::BrokerId;
using kafka::Error;
using kafka::ErrorCode;
using CreatableTopic = kafka::CreateTopicsRequest::CreatableTopic;
using TopicResult = kafka::CreateTopicsResponse::CreatableTopicResult;
using Replicas = std::vector<std::vector<BrokerId>>;  // of each partition

std::vector<BrokerId> broker_ids(const std::vector<int32_t>& ids) {
    std::vector<BrokerId> out;
    for (int32_t id : ids) out.push_back(BrokerId{id});
    return out;
}

/// Why these can't be the replicas of a partition.
std::optional<Error> refused_replicas(const State& state, const std::vector<int32_t>& ids,
                                      size_t wanted) {
    auto refused = [](std::string why) {
        return Error{ErrorCode::invalid_replica_assignment, std::move(why)};
    };
    if (auto e = refused_assignment(state.image, broker_ids(ids))) return e;
    if (ids.size() != wanted) return refused("all partitions have the same number of replicas");
    if (std::ranges::none_of(ids, [&](int32_t id) { return state.image.active(BrokerId{id}); }))
        return refused("none of a partition's replicas is on an active broker");
    return std::nullopt;
}

/// A new partition: all replicas that are active are in sync, for there is nothing yet to copy.
metadata::Partition new_partition(const State& state, size_t index,
                                  std::vector<BrokerId> replicas) {
    metadata::Partition p;
    p.index = static_cast<base::PartitionIndex>(index);
    for (auto id : replicas)
        if (state.image.active(id)) p.isr.push_back(id);
    p.replicas = std::move(replicas);
    p.leader = p.isr.front();
    return p;
}

Error too_many() {
    return {ErrorCode::policy_violation, "one request may create at most " +
                                             std::to_string(kMostPartitionsInOneRequest) +
                                             " partitions"};
}

kafka::Outcome<Replicas> assigned(const State& state, const CreatableTopic& topic) {
    if (topic.num_partitions != -1 || topic.replication_factor != -1)
        return Error{
            ErrorCode::invalid_request,
            "with an assignment by hand, the number of partitions and the replication factor "
            "must be -1"};
    std::map<int32_t, const std::vector<int32_t>*> by_index;
    for (const auto& a : topic.assignments) {
        if (!by_index.emplace(a.partition_index, &a.broker_ids).second)
            return Error{ErrorCode::invalid_replica_assignment,
                         "partition " + std::to_string(a.partition_index) + " is assigned twice"};
        if (auto e = refused_replicas(state, a.broker_ids, topic.assignments[0].broker_ids.size()))
            return *e;
    }
    Replicas out;
    for (const auto& [index, ids] : by_index) {
        if (index != static_cast<int32_t>(out.size()))
            return Error{ErrorCode::invalid_replica_assignment,
                         "partitions must be numbered from 0 without gaps"};
        out.push_back(broker_ids(*ids));
    }
    return out;
}

kafka::Outcome<Replicas> replicas_of(const State& state, const CreatableTopic& topic,
                                     size_t partitions_left, Placement& placement, uint64_t start) {
    if (topic.assignments.size() > partitions_left) return too_many();
    if (!topic.assignments.empty()) return assigned(state, topic);
    if (topic.num_partitions == 0 || topic.num_partitions < -1)
        return Error{ErrorCode::invalid_partitions, "a topic needs at least one partition"};
    if (topic.replication_factor == 0 || topic.replication_factor < -1)
        return Error{ErrorCode::invalid_replication_factor,
                     "a topic's replication factor is at least 1"};
    auto configs = state.configs();
    auto partitions = static_cast<size_t>(
        topic.num_partitions == -1 ? configs.broker_int("num.partitions") : topic.num_partitions);
    auto replicas = static_cast<size_t>(topic.replication_factor == -1
                                            ? configs.broker_int("default.replication.factor")
                                            : topic.replication_factor);
    if (partitions > partitions_left) return too_many();
    return placement.place(partitions, replicas, start);
}

/// Name rules, and no topic that this one could be taken for. `others`: created by the same
/// request.
std::optional<Error> refused_topic_name(const State& state, const std::string& name,
                                        const std::set<std::string>& others) {
    if (auto why = refused_name(name)) return Error{ErrorCode::invalid_topic_exception, *why};
    if (state.image.topic(name))
        return Error{ErrorCode::topic_already_exists, "topic " + name + " exists already"};
    if (!may_collide(name)) return std::nullopt;
    auto collides = [&](const std::string& other) -> std::optional<Error> {
        if (!collide(name, other)) return std::nullopt;
        return Error{
            ErrorCode::invalid_topic_exception,
            "topic " + name + " collides with " + other + ": metrics can't tell '.' from '_'"};
    };
    for (const auto& other : others)
        if (auto e = collides(other)) return e;
    for (const auto& [other, topic] : state.image.topics())
        if (auto e = collides(other)) return e;
    return std::nullopt;
}

kafka::Outcome<metadata::Configs> configs_of(const CreatableTopic& topic) {
    metadata::Configs out;
    for (const auto& c : topic.configs) {
        if (!c.value) return Error{ErrorCode::invalid_config, c.name + " has no value"};
        if (!out.emplace(c.name, *c.value).second)
            return Error{ErrorCode::invalid_config, c.name + " stands twice"};
    }
    if (auto e = check_topic_configs(out)) return *e;
    return out;
}

void describe(const State& state, const metadata::Configs& own, TopicResult& result) {
    result.configs.emplace();
    for (const auto& e : state.configs().all_topic(own)) {
        result.configs->push_back({.name = e.option->name,
                                   .value = e.value,
                                   .read_only = e.read_only,
                                   .config_source = static_cast<int8_t>(e.source),
                                   .is_sensitive = e.sensitive});
    }
}

/// One topic of a request: its replicas and configs, or what is wrong with it.
struct Planned {
    Replicas replicas;
    metadata::Configs configs;
};
kafka::Outcome<Planned> plan(const State& state, const CreatableTopic& topic,
                             const std::set<std::string>& others, size_t partitions_left,
                             Placement& placement, uint64_t start) {
    if (auto e = refused_topic_name(state, topic.name, others)) return *e;
    auto replicas = replicas_of(state, topic, partitions_left, placement, start);
    if (!replicas) return replicas.error();
    auto configs = configs_of(topic);
    if (!configs) return configs.error();
    return Planned{*std::move(replicas), *std::move(configs)};
}

template <class Topics, class NameOf>
std::set<std::string> doubled(const Topics& topics, NameOf name_of) {
    std::set<std::string> seen, twice;
    for (const auto& t : topics)
        if (!seen.insert(name_of(t)).second) twice.insert(name_of(t));
    return twice;
}

TopicResult failed(const std::string& name, const Error& error) {
    TopicResult r;
    r.name = name;
    r.error_code = error.code;
    r.error_message = error.message;
    return r;
}

}  // namespace

Decision<kafka::CreateTopicsResponse> create_topics(const State& state,
                                                    const kafka::CreateTopicsRequest& request,
                                                    std::span<const base::TopicId> ids,
                                                    uint64_t start) {
    Decision<kafka::CreateTopicsResponse> d;
    const auto twice = doubled(request.topics, [](const auto& t) { return t.name; });
    std::set<std::string> answered, created;
    size_t partitions_left = kMostPartitionsInOneRequest;
    Placement placement(state.image);
    for (size_t i = 0; i < request.topics.size(); ++i) {
        const auto& topic = request.topics[i];
        if (twice.contains(topic.name)) {
            if (answered.insert(topic.name).second)
                d.response.topics.push_back(
                    failed(topic.name,
                           {ErrorCode::invalid_request, "the topic stands twice in the request"}));
            continue;
        }
        auto planned = plan(state, topic, created, partitions_left, placement, start + i);
        if (!planned) {
            d.response.topics.push_back(failed(topic.name, planned.error()));
            continue;
        }
        created.insert(topic.name);
        partitions_left -= planned->replicas.size();
        TopicResult result;
        result.name = topic.name;
        result.error_message.reset();
        result.num_partitions = static_cast<int32_t>(planned->replicas.size());
        result.replication_factor = static_cast<int16_t>(planned->replicas[0].size());
        describe(state, planned->configs, result);
        if (!request.validate_only) {
            result.topic_id = ids[i];
            d.records.push_back(metadata::topic_record(topic.name, ids[i]));
            for (size_t p = 0; p < planned->replicas.size(); ++p)
                d.records.push_back(metadata::partition_record(
                    ids[i], new_partition(state, p, std::move(planned->replicas[p]))));
            for (const auto& [name, value] : planned->configs)
                d.records.push_back(metadata::topic_config_record(topic.name, name, value));
        }
        d.response.topics.push_back(std::move(result));
    }
    return d;
}

Decision<kafka::DeleteTopicsResponse> delete_topics(const State& state,
                                                    const kafka::DeleteTopicsRequest& request) {
    using Wanted = kafka::DeleteTopicsRequest::DeleteTopicState;
    Decision<kafka::DeleteTopicsResponse> d;
    std::vector<Wanted> wanted = request.topics;
    for (const auto& name : request.topic_names) wanted.push_back({name, {}});
    std::map<base::TopicId, int> count;
    auto find = [&](const Wanted& w) {
        return w.name ? state.image.topic(*w.name) : state.image.topic(w.topic_id);
    };
    for (const auto& w : wanted)
        if (auto topic = find(w)) ++count[topic->id];

    const bool enabled = state.configs().broker_bool("delete.topic.enable");
    std::set<std::pair<std::optional<std::string>, base::TopicId>> answered;
    for (const auto& w : wanted) {
        auto topic = find(w);
        Error error;
        if (w.name && !w.topic_id.is_zero())
            error = {ErrorCode::invalid_request, "both a name and an id are given"};
        else if (!w.name && w.topic_id.is_zero())
            error = {ErrorCode::invalid_request, "neither a name nor an id is given"};
        else if (!enabled)
            error = {ErrorCode::topic_deletion_disabled, "delete.topic.enable is false"};
        else if (!topic && w.name)
            error = {ErrorCode::unknown_topic_or_partition, "there is no topic " + *w.name};
        else if (!topic) error = {ErrorCode::unknown_topic_id, "there is no topic of this id"};
        else if (count[topic->id] > 1)
            error = {ErrorCode::invalid_request, "the topic stands twice in the request"};
        if (!answered.emplace(w.name, w.topic_id).second) continue;
        auto& row = d.response.responses.emplace_back();
        row.name = w.name;
        row.topic_id = w.topic_id;
        row.error_code = error.code;
        if (error.code != ErrorCode::none) {
            row.error_message = error.message;
            continue;
        }
        row.name = topic->name;
        row.topic_id = topic->id;
        d.records.push_back(metadata::remove_topic_record(topic->id));
    }
    return d;
}

namespace {

using GrownTopic = kafka::CreatePartitionsRequest::CreatePartitionsTopic;

/// The replicas of the partitions to add.
kafka::Outcome<Replicas> growth(const State& state, const GrownTopic& wanted,
                                const metadata::Topic* topic, size_t partitions_left,
                                Placement& placement, uint64_t start) {
    if (!topic)
        return Error{ErrorCode::unknown_topic_or_partition, "there is no topic " + wanted.name};
    const size_t now = topic->partitions.size();
    if (wanted.count < 1 || static_cast<size_t>(wanted.count) <= now)
        return Error{ErrorCode::invalid_partitions,
                     "the topic has " + std::to_string(now) + " partitions; " +
                         std::to_string(wanted.count) + " is not more"};
    const size_t more = static_cast<size_t>(wanted.count) - now;
    if (more > partitions_left) return too_many();
    // Those that a reassignment is adding replace others.
    const metadata::Partition& first = *topic->partitions[0];
    const size_t replicas = first.replicas.size() - first.adding_replicas.size();
    if (!wanted.assignments) return placement.place(more, replicas, start + now);
    if (wanted.assignments->size() != more)
        return Error{ErrorCode::invalid_replica_assignment,
                     std::to_string(more) + " partitions are new, but " +
                         std::to_string(wanted.assignments->size()) + " are assigned"};
    Replicas out;
    for (const auto& a : *wanted.assignments) {
        if (auto e = refused_replicas(state, a.broker_ids, replicas)) return *e;
        out.push_back(broker_ids(a.broker_ids));
    }
    return out;
}

}  // namespace

Decision<kafka::CreatePartitionsResponse> create_partitions(
    const State& state, const kafka::CreatePartitionsRequest& request, uint64_t start) {
    Decision<kafka::CreatePartitionsResponse> d;
    const auto twice = doubled(request.topics, [](const auto& t) { return t.name; });
    std::set<std::string> answered;
    size_t partitions_left = kMostPartitionsInOneRequest;
    Placement placement(state.image);
    for (const auto& wanted : request.topics) {
        if (!answered.insert(wanted.name).second) continue;
        auto& row = d.response.results.emplace_back();
        row.name = wanted.name;
        auto topic = state.image.topic(wanted.name);
        auto grown =
            twice.contains(wanted.name)
                ? Error{ErrorCode::invalid_request, "the topic stands twice in the request"}
                : growth(state, wanted, topic.get(), partitions_left, placement, start);
        if (!grown) {
            row.error_code = grown.error().code;
            row.error_message = grown.error().message;
            continue;
        }
        partitions_left -= grown->size();
        if (request.validate_only) continue;
        size_t index = topic->partitions.size();
        for (auto& replicas : *grown)
            d.records.push_back(metadata::partition_record(
                topic->id, new_partition(state, index++, std::move(replicas))));
    }
    return d;
}

}  // namespace controller
