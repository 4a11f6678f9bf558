#include "kafka/messages/list_offsets.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/scatter.h"
#include "broker/resolve.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::ListOffsetsRequest;
using Response = kafka::ListOffsetsResponse;
using Found = Response::ListOffsetsPartitionResponse;

/// Times that stand for a place in the log.
enum Special : int64_t {
    latest = -1,
    earliest = -2,
    max_timestamp = -3,
    earliest_local = -4,
    latest_tiered = -5,
};

/// Of a new leader, that can't tell how much of what earlier ones left is committed (KIP-207), and
/// of one that may have been deposed without knowing it.
constexpr auto not_known_yet = ErrorCode::offset_not_available;

Found failed(ErrorCode code) { return {.error_code = code}; }

Found by_timestamp(const replication::Partition& partition, int64_t timestamp) {
    const auto limit = partition.high_watermark();
    const auto hit = timestamp == max_timestamp ? partition.log().max_timestamp(limit)
                                                : partition.log().find_timestamp(timestamp, limit);
    if (!hit.ok()) return failed(ErrorCode::kafka_storage_error);
    if (!hit->has_value()) {
        if (!partition.replica().knows_committed()) return failed(not_known_yet);
        return {.leader_epoch = -1};
    }
    return {
        .timestamp = (*hit)->timestamp, .offset = (*hit)->offset, .leader_epoch = (*hit)->epoch};
}

Found look_up(const replication::Partition& partition, const Request::ListOffsetsPartition& asked) {
    if (!partition.leading()) return failed(ErrorCode::not_leader_or_follower);
    const auto stale = check_epoch(asked.current_leader_epoch, partition.leader_epoch());
    if (stale != ErrorCode::none) return failed(stale);
    if (asked.timestamp < latest_tiered) return failed(ErrorCode::invalid_request);
    switch (asked.timestamp) {
        case latest:
            if (!partition.replica().knows_committed() || !partition.knows_newest())
                return failed(not_known_yet);
            return {.offset = partition.high_watermark(), .leader_epoch = partition.leader_epoch()};
        case earliest:
        case earliest_local:
            return {.offset = partition.log().start(), .leader_epoch = partition.leader_epoch()};
        case latest_tiered:
            return {.offset = -1, .leader_epoch = -1};  // nothing is tiered here
        default:
            return by_timestamp(partition, asked.timestamp);
    }
}

}  // namespace

void list_offsets(CallPtr call, Request request, Reply<Response> reply) {
    const auto place = [&](const auto& topic, const auto& p) {
        return resolve(*call->local.image, {topic.name, {}, false}, p.partition_index,
                       call->services.settings.id);
    };
    scatter<Found>(
        call, request.topics, place,
        [](replication::Partition& partition, const auto& asked) {
            return look_up(partition, asked);
        },
        [](const kafka::Error& error) { return failed(error.code); },
        [call, topics = request.topics,
         reply = std::move(reply)](std::vector<std::vector<Found>> found) mutable {
            Response response;
            for (size_t t = 0; t < topics.size(); ++t) {
                for (size_t p = 0; p < found[t].size(); ++p) {
                    auto& one = found[t][p];
                    one.partition_index = topics[t].partitions[p].partition_index;
                    if (one.error_code == not_known_yet && call->version < 5)
                        one.error_code = ErrorCode::leader_not_available;
                }
                response.topics.push_back({topics[t].name, std::move(found[t])});
            }
            reply(response);
        });
}

}  // namespace broker::handlers
