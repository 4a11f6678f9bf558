#include <chrono>
#include <cstdio>
#include <thread>

#include "base/check.h"
#include "tests/chaos/workload.h"

namespace chaos {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int wait_ms = 100;

cli::RdKafka made(Shared& shared) {
    auto config = shared.config();
    config.set("group.id", "none").set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false").set("auto.offset.reset", "earliest");
    auto out = std::move(config).make(RD_KAFKA_CONSUMER);
    if (!out.ok()) std::fprintf(stderr, "%s\n", base::message(out.status()).c_str());
    CHECK(out.ok());
    rd_kafka_poll_set_consumer(out->get());
    return *std::move(out);
}

/// Reads from given places, and knows how far it got.
class Reader {
  public:
    Reader(Shared& shared, uint32_t process, lab::Op op)
        : shared_(shared), process_(process), op_(op), client_(made(shared)) {}

    void assign(const std::vector<int64_t>& from) {
        cli::RdPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(from.size())));
        positions_ = from;
        for (uint32_t i = 0; i < from.size(); ++i) {
            const Partition& p = shared_.partitions[i];
            rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.number)->offset =
                from[i];
            shared_.history.add(
                {.op = lab::Op::assign, .process = process_, .partition = i, .offset = from[i]});
        }
        CHECK(rd_kafka_assign(client_.get(), list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    /// What is at or past `limit` is not noted, if there is one.
    void step(const std::vector<std::pair<int64_t, int64_t>>* limit) {
        const cli::RdMessage message(rd_kafka_consumer_poll(client_.get(), wait_ms));
        if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
        const uint32_t number =
            shared_.number_of(rd_kafka_topic_name(message->rkt), message->partition);
        if (number == positions_.size()) return;
        if (limit != nullptr && message->offset >= (*limit)[number].second) return;
        note_message(shared_, process_, op_, *message);
        positions_[number] = message->offset + 1;
    }
    bool has_read(const std::vector<std::pair<int64_t, int64_t>>& ends) const {
        for (size_t i = 0; i < ends.size(); ++i)
            if (positions_[i] < ends[i].second) return false;
        return true;
    }
    void note_finished(uint32_t partition) {
        shared_.history.add({.op = lab::Op::finished,
                             .process = process_,
                             .partition = partition,
                             .offset = positions_[partition]});
    }

  private:
    Shared& shared_;
    uint32_t process_;
    lab::Op op_;
    cli::RdKafka client_;
    std::vector<int64_t> positions_;
};

Clock::time_point deadline(const Shared& shared) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                              std::chrono::duration<double>(shared.options.patience_seconds));
}

}  // namespace

void consume(Shared& shared, uint32_t process) {
    Reader reader(shared, process, lab::Op::poll);
    reader.assign(std::vector<int64_t>(shared.partitions.size(), 0));
    while (!shared.read_all) reader.step(nullptr);
    const auto until = deadline(shared);
    while (!reader.has_read(shared.ends))
        if (reader.step(nullptr); Clock::now() > until) return;
    for (uint32_t i = 0; i < shared.partitions.size(); ++i) reader.note_finished(i);
}

bool drain(Shared& shared, uint32_t process) {
    Reader reader(shared, process, lab::Op::drain);
    std::vector<int64_t> from;
    for (const auto& [start, end] : shared.ends) from.push_back(start);
    reader.assign(from);
    const auto until = deadline(shared);
    while (!reader.has_read(shared.ends))
        if (reader.step(&shared.ends); Clock::now() > until) return false;
    for (uint32_t i = 0; i < shared.partitions.size(); ++i)
        shared.history.add({.op = lab::Op::drained,
                            .process = process,
                            .partition = i,
                            .offset = shared.ends[i].first,
                            .until = shared.ends[i].second});
    return true;
}

std::vector<std::pair<int64_t, int64_t>> ends_of_all(Shared& shared) {
    const cli::RdKafka client = made(shared);
    std::vector<std::pair<int64_t, int64_t>> out;
    const auto until = deadline(shared);
    for (const Partition& p : shared.partitions) {
        auto& [start, end] = out.emplace_back(-1, -1);
        constexpr int patience_ms = 5000;
        while (rd_kafka_query_watermark_offsets(client.get(), p.topic.c_str(), p.number, &start,
                                                &end, patience_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (Clock::now() > until) return {};
            std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
        }
    }
    return out;
}

void watch_ends(Shared& shared, uint32_t process) {
    const cli::RdKafka client = made(shared);
    for (uint32_t turn = 0; !shared.end; ++turn) {
        const auto number = static_cast<uint32_t>(turn % shared.partitions.size());
        const Partition& p = shared.partitions[number];
        lab::Event event{.op = lab::Op::list_end,
                         .phase = lab::Phase::invoke,
                         .process = process,
                         .partition = number};
        shared.history.add(event);
        int64_t start = -1;
        int64_t end = -1;
        constexpr int patience_ms = 2000;
        const auto error = rd_kafka_query_watermark_offsets(client.get(), p.topic.c_str(), p.number,
                                                            &start, &end, patience_ms);
        event.phase = error == RD_KAFKA_RESP_ERR_NO_ERROR ? lab::Phase::ok : lab::Phase::info;
        event.code = static_cast<int16_t>(error);
        event.offset = end;
        shared.history.add(event);
        std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    }
}

}  // namespace chaos
