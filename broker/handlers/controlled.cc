// The APIs that change metadata: the controller decides, and the answer leaves once this broker
// acts by what was decided.
#include "broker/handlers/controlled.h"

#include "broker/handlers/handlers.h"
#include "broker/resolve.h"

namespace broker::handlers {

namespace {

constexpr auto refusal = kafka::ErrorCode::invalid_topic_exception;
constexpr char why_refused[] =
    "the topic is the cluster's own: it makes, grows and keeps it itself";

/// How many partitions __consumer_offsets has decides where each group's positions lie, so clients
/// may neither make, grow nor delete what is internal. These take such topics out of a request and
/// give their results.
auto take_internal(const metadata::Image&, kafka::CreateTopicsRequest& request) {
    std::vector<kafka::CreateTopicsResponse::CreatableTopicResult> refused;
    std::erase_if(request.topics, [&](const auto& topic) {
        if (!internal_topic(topic.name)) return false;
        auto& out = refused.emplace_back();
        out.name = topic.name;
        out.error_code = refusal;
        out.error_message = why_refused;
        return true;
    });
    return refused;
}

auto take_internal(const metadata::Image&, kafka::CreatePartitionsRequest& request) {
    std::vector<kafka::CreatePartitionsResponse::CreatePartitionsTopicResult> refused;
    std::erase_if(request.topics, [&](const auto& topic) {
        if (!internal_topic(topic.name)) return false;
        refused.push_back({topic.name, refusal, why_refused});
        return true;
    });
    return refused;
}

auto take_internal(const metadata::Image& image, kafka::DeleteTopicsRequest& request) {
    std::vector<kafka::DeleteTopicsResponse::DeletableTopicResult> refused;
    const auto refuse = [&](const std::optional<std::string>& name, const base::Uuid& id) {
        const auto topic = name ? nullptr : image.topic(id);
        if (!internal_topic(topic ? topic->name : name.value_or(""))) return false;
        auto& out = refused.emplace_back();
        out.name = topic ? topic->name : name;
        out.topic_id = id;
        out.error_code = refusal;
        out.error_message = why_refused;
        return true;
    };
    std::erase_if(request.topics, [&](const auto& t) { return refuse(t.name, t.topic_id); });
    std::erase_if(request.topic_names, [&](const auto& name) { return refuse(name, {}); });
    return refused;
}

auto& results(kafka::CreateTopicsResponse& response) { return response.topics; }
auto& results(kafka::CreatePartitionsResponse& response) { return response.results; }
auto& results(kafka::DeleteTopicsResponse& response) { return response.responses; }

template <class Request, class Response>
void change_topics(CallPtr call, Request request, Reply<Response> reply) {
    auto refused = take_internal(*call->local.image, request);
    ask_controller(
        call, std::move(request),
        [refused = std::move(refused), reply = std::move(reply)](Response response) mutable {
            std::move(refused.begin(), refused.end(), std::back_inserter(results(response)));
            reply(response);
        });
}

/// What needs nothing but the controller's answer.
template <class Request, class Response>
void pass_on(CallPtr call, Request request, Reply<Response> reply) {
    ask_controller(call, std::move(request),
                   [reply = std::move(reply)](Response response) mutable { reply(response); });
}

}  // namespace

#define CONTROLLED(handler, change, Name)                                                          \
    void handler(CallPtr call, kafka::Name##Request request, Reply<kafka::Name##Response> reply) { \
        change(std::move(call), std::move(request), std::move(reply));                             \
    }
CONTROLLED(create_topics, change_topics, CreateTopics)
CONTROLLED(delete_topics, change_topics, DeleteTopics)
CONTROLLED(create_partitions, change_topics, CreatePartitions)
CONTROLLED(alter_configs, pass_on, AlterConfigs)
CONTROLLED(incremental_alter_configs, pass_on, IncrementalAlterConfigs)
CONTROLLED(elect_leaders, pass_on, ElectLeaders)
CONTROLLED(alter_partition_reassignments, pass_on, AlterPartitionReassignments)
CONTROLLED(list_partition_reassignments, pass_on, ListPartitionReassignments)
CONTROLLED(describe_quorum, pass_on, DescribeQuorum)
CONTROLLED(update_features, pass_on, UpdateFeatures)
CONTROLLED(unregister_broker, pass_on, UnregisterBroker)
CONTROLLED(add_raft_voter, pass_on, AddRaftVoter)
CONTROLLED(remove_raft_voter, pass_on, RemoveRaftVoter)
#undef CONTROLLED

}  // namespace broker::handlers
