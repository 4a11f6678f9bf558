#include "kafka/messages/offset_for_leader_epoch.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/scatter.h"
#include "broker/resolve.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::OffsetForLeaderEpochRequest;
using Response = kafka::OffsetForLeaderEpochResponse;
using Result = Response::EpochEndOffset;

Result failed(const kafka::Error& error) { return {.error_code = error.code}; }

Result look_up(const replication::Partition& partition,
               const Request::OffsetForLeaderPartition& asked) {
    if (!partition.leading()) return {.error_code = ErrorCode::not_leader_or_follower};
    const auto stale = check_epoch(asked.current_leader_epoch, partition.leader_epoch());
    if (stale != ErrorCode::none) return {.error_code = stale};
    const auto end = partition.log().end_of_epoch(asked.leader_epoch);
    return {.leader_epoch = end.epoch, .end_offset = end.end};
}

}  // namespace

void offset_for_leader_epoch(CallPtr call, Request request, Reply<Response> reply) {
    const auto place = [&](const auto& topic, const auto& p) {
        return resolve(*call->local.image, {topic.topic, {}, false}, p.partition,
                       call->services.settings.id);
    };
    scatter<Result>(
        call, request.topics, place,
        [](replication::Partition& partition, const auto& asked) {
            return look_up(partition, asked);
        },
        failed,
        [topics = request.topics,
         reply = std::move(reply)](std::vector<std::vector<Result>> found) mutable {
            Response response;
            for (size_t t = 0; t < topics.size(); ++t) {
                for (size_t p = 0; p < found[t].size(); ++p)
                    found[t][p].partition = topics[t].partitions[p].partition;
                response.topics.push_back({topics[t].topic, std::move(found[t])});
            }
            reply(response);
        });
}

}  // namespace broker::handlers
