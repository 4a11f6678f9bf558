// A client that tells where a cluster stood still. A line for each event, times being seconds of
// CLOCK_MONOTONIC:
//   gap PARTITION BEGIN END        nothing of it was acknowledged in between
//   failed PARTITION AT REASON     a record that the client has given up
//   state AT OLDEST ACKNOWLEDGED FAILED SKIPPED
//                                  many times a second: how long ago the partition was acknowledged
//                                  that waits longest, and counts of records so far; skipped are
//                                  those that the client's queue had no room for
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "bench/load.h"

namespace bench {
namespace {

constexpr std::chrono::milliseconds least_gap(20), state_interval(50);

volatile std::sig_atomic_t ended = 0;

double seconds(Clock::time_point at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
}

class Steady {
  public:
    explicit Steady(const Options& options)
        : options_(options),
          client_(make_client(
              RD_KAFKA_PRODUCER, options, {},
              [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                  static_cast<Steady*>(self)->answered(*message);
              },
              this)),
          value_(options.record_bytes, 'x') {
        const int partitions = partition_count(client_.get(), options.topic);
        acknowledged_at_.assign(static_cast<size_t>(partitions), Clock::now());
    }

    void run() {
        const auto interval = std::chrono::nanoseconds(static_cast<int64_t>(
            1e9 / options_.per_partition / static_cast<double>(acknowledged_at_.size())));
        auto due = Clock::now(), told = due;
        for (size_t turn = 0; ended == 0;) {
            for (; due <= Clock::now(); due += interval)
                send(static_cast<int32_t>(turn++ % acknowledged_at_.size()));
            constexpr int wait_ms = 1;
            rd_kafka_poll(client_.get(), wait_ms);
            if (Clock::now() - told < state_interval) continue;
            told = Clock::now();
            state();
        }
        still_waiting();
        constexpr int patience_ms = 10'000;
        rd_kafka_flush(client_.get(), patience_ms);
        state();
    }

  private:
    void send(int32_t partition) {
        const auto error = rd_kafka_producev(
            client_.get(), RD_KAFKA_V_TOPIC(options_.topic.c_str()),
            RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(value_.data(), value_.size()), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) ++skipped_;
        else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(error));
    }

    void answered(const rd_kafka_message_t& message) {
        const auto now = Clock::now();
        if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            ++failed_;
            std::printf("failed %d %.6f %s\n", message.partition, seconds(now),
                        rd_kafka_err2str(message.err));
            return;
        }
        ++acknowledged_;
        auto& before = acknowledged_at_[static_cast<size_t>(message.partition)];
        if (now - before > least_gap)
            std::printf("gap %d %.6f %.6f\n", message.partition, seconds(before), seconds(now));
        before = now;
    }

    /// Gaps that have no end yet.
    void still_waiting() const {
        constexpr std::chrono::seconds surely(1);
        const auto now = Clock::now();
        for (size_t i = 0; i < acknowledged_at_.size(); ++i) {
            if (now - acknowledged_at_[i] > surely)
                std::printf("gap %zu %.6f %.6f\n", i, seconds(acknowledged_at_[i]), seconds(now));
        }
    }

    void state() {
        const auto now = Clock::now();
        const auto oldest = now - *std::ranges::min_element(acknowledged_at_);
        std::printf("state %.6f %.6f %lld %lld %lld\n", seconds(now),
                    std::chrono::duration<double>(oldest).count(),
                    static_cast<long long>(acknowledged_), static_cast<long long>(failed_),
                    static_cast<long long>(skipped_));
        std::fflush(stdout);
    }

    const Options& options_;
    std::vector<Clock::time_point> acknowledged_at_;  // by partition
    int64_t acknowledged_ = 0, failed_ = 0, skipped_ = 0;
    Client client_;
    std::string value_;
};

}  // namespace

void steady(const Options& options) {
    std::signal(SIGTERM, [](int) { ended = 1; });
    Steady(options).run();
}

}  // namespace bench
