#include "kafka/messages/delete_records.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/scatter.h"
#include "broker/resolve.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::DeleteRecordsRequest;
using Response = kafka::DeleteRecordsResponse;
using Result = Response::DeleteRecordsPartitionResult;

Result failed(const kafka::Error& error) { return {.low_watermark = -1, .error_code = error.code}; }

/// A topic that is only compacted keeps the last record of each key, whatever a client wants.
bool deletes(const metadata::ConfigView& configs, const std::string& topic) {
    const auto policy = configs.topic_list(topic, "cleanup.policy");
    return policy != std::vector<std::string>{"compact"};
}

}  // namespace

void delete_records(CallPtr call, Request request, Reply<Response> reply) {
    const auto place = [&](const auto& topic, const auto& p) {
        auto at = resolve(*call->local.image, {topic.name, {}, false}, p.partition_index,
                          call->services.settings.id);
        // Positions of groups are not for a client to cut.
        if (at.error == ErrorCode::none && internal_topic(topic.name))
            at.error = ErrorCode::invalid_topic_exception;
        if (at.error == ErrorCode::none && !deletes(configs(*call), topic.name))
            at.error = ErrorCode::policy_violation;
        return at;
    };
    const auto ask = [](replication::Partition& partition, const auto& asked) {
        const auto start = partition.delete_records(asked.offset);
        return start.ok() ? Result{.low_watermark = *start} : failed(start.error());
    };
    scatter<Result>(call, request.topics, place, ask, failed,
                    [topics = request.topics,
                     reply = std::move(reply)](std::vector<std::vector<Result>> found) mutable {
                        Response response;
                        for (size_t t = 0; t < topics.size(); ++t) {
                            for (size_t p = 0; p < found[t].size(); ++p)
                                found[t][p].partition_index =
                                    topics[t].partitions[p].partition_index;
                            response.topics.push_back({topics[t].name, std::move(found[t])});
                        }
                        reply(response);
                    });
}

}  // namespace broker::handlers
