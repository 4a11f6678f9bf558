#pragma once
#include "kafka/messages/fetch.h"
#include "kafka/messages/produce.h"

namespace tests {

/// A Produce of one batch; the batch must outlive the request.
inline kafka::ProduceRequest produce(const std::string& topic, int32_t partition, base::View batch,
                                     int16_t acks = -1) {
    kafka::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 10'000;
    request.topic_data = {
        {.name = topic, .topic_id = {}, .partition_data = {{partition, kafka::Records(batch)}}}};
    return request;
}

/// A Fetch of one partition, without a session.
inline kafka::FetchRequest fetch(const std::string& topic, int32_t partition, int64_t offset,
                                 int32_t max_wait_ms = 0) {
    kafka::FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = 1;
    kafka::FetchRequest::FetchPartition p;
    p.partition = partition;
    p.fetch_offset = offset;
    p.partition_max_bytes = 1 << 20;
    request.topics = {{.topic = topic, .topic_id = {}, .partitions = {p}}};
    return request;
}

}  // namespace tests
