#include <array>
#include <set>

#include "bench/load.h"

namespace bench {

int partition_count(rd_kafka_t* client, const std::string& topic) {
    rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    constexpr int patience_ms = 30'000;
    const auto error = rd_kafka_metadata(client, 0, handle, &metadata, patience_ms);
    rd_kafka_topic_destroy(handle);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(error));
    const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (count == 0) fail("there is no topic " + topic);
    return count;
}

void assign_all(rd_kafka_t* client, const std::string& topic, int partitions, int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; ++p)
        rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = offset;
    const auto error = rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(error));
}

Report consume(const Options& options) {
    const Client client = make_client(RD_KAFKA_CONSUMER, options,
                                      {{"group.id", "moldau-load"},
                                       {"enable.auto.commit", "false"},
                                       {"enable.partition.eof", "true"},
                                       {"queued.min.messages", "1000000"},
                                       {"queued.max.messages.kbytes", "131072"}});
    rd_kafka_poll_set_consumer(client.get());
    const int partitions = partition_count(client.get(), options.topic);
    assign_all(client.get(), options.topic, partitions, RD_KAFKA_OFFSET_BEGINNING);

    Report out;
    std::set<int32_t> ended;
    Clock::time_point begin;
    rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client.get());
    std::array<rd_kafka_message_t*, 1000> messages{};
    while (static_cast<int>(ended.size()) < partitions &&
           (options.most_records == 0 || out.records < options.most_records)) {
        constexpr int pause_ms = 1000;
        const ssize_t count =
            rd_kafka_consume_batch_queue(queue, pause_ms, messages.data(), messages.size());
        for (ssize_t i = 0; i < count; ++i) {
            rd_kafka_message_t* const message = messages[static_cast<size_t>(i)];
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                ended.insert(message->partition);
            } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                if (out.errors++ == 0) out.first_error = rd_kafka_err2str(message->err);
            } else if (out.records++ == 0) {
                begin = Clock::now();
            }
            rd_kafka_message_destroy(message);
        }
    }
    out.seconds = std::max(1e-9, std::chrono::duration<double>(Clock::now() - begin).count());
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client.get());
    return out;
}

}  // namespace bench
