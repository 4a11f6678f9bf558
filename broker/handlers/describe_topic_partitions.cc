#include "kafka/messages/describe_topic_partitions.h"

#include <algorithm>
#include <set>

#include "broker/cluster_view.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "controller/names.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::DescribeTopicPartitionsRequest;
using Response = kafka::DescribeTopicPartitionsResponse;

Response::DescribeTopicPartitionsResponsePartition describe(const metadata::Image& image,
                                                            const metadata::Partition& p) {
    auto out = shown_partition<Response::DescribeTopicPartitionsResponsePartition>(image, p);
    out.eligible_leader_replicas = plain_ids(p.elr);
    out.last_known_elr = plain_ids(p.last_known_elr);
    return out;
}

/// Names in order, from the cursor's on.
std::set<std::string> names(const metadata::Image& image, const Request& request) {
    std::set<std::string> out;
    for (const auto& asked : request.topics) out.insert(asked.name);
    if (request.topics.empty())
        for (const auto& [name, topic] : image.topics()) out.insert(name);
    if (request.cursor) out.erase(out.begin(), out.lower_bound(request.cursor->topic_name));
    return out;
}

Response::DescribeTopicPartitionsResponseTopic missing(const std::string& name) {
    Response::DescribeTopicPartitionsResponseTopic out;
    out.name = name;
    out.error_code = controller::refused_name(name) ? ErrorCode::invalid_topic_exception
                                                    : ErrorCode::unknown_topic_or_partition;
    return out;
}

}  // namespace

void describe_topic_partitions(CallPtr call, Request request, Reply<Response> reply) {
    const metadata::Image& image = *call->local.image;
    const auto most = configs(*call).broker_int("max.request.partition.size.limit");
    auto left = static_cast<size_t>(std::clamp<int64_t>(request.response_partition_limit, 1, most));
    Response response;
    for (const auto& name : names(image, request)) {
        if (left == 0) {
            response.next_cursor = {name, 0};
            break;
        }
        const auto topic = image.topic(name);
        if (!topic) {
            response.topics.push_back(missing(name));
            continue;
        }
        auto& out = response.topics.emplace_back();
        out.name = name;
        out.topic_id = topic->id;
        out.is_internal = internal_topic(name);
        out.topic_authorized_operations = topic_operations;
        const bool resumed = request.cursor && request.cursor->topic_name == name;
        size_t index =
            resumed ? static_cast<size_t>(std::max(request.cursor->partition_index, 0)) : 0;
        for (; index < topic->partitions.size() && left > 0; ++index, --left)
            out.partitions.push_back(describe(image, *topic->partitions[index]));
        if (index < topic->partitions.size()) {
            response.next_cursor = {name, static_cast<int32_t>(index)};
            break;
        }
    }
    reply(response);
}

}  // namespace broker::handlers
