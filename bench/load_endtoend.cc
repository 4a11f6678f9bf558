#include <atomic>
#include <cstring>
#include <set>
#include <thread>

#include "bench/load.h"

namespace bench {
namespace {

/// Reads at the end of a topic; measures by the stamps in the values.
class Tail {
  public:
    explicit Tail(const Options& options)
        : options_(options),
          client_(make_client(RD_KAFKA_CONSUMER, options,
                              {{"group.id", "moldau-load"},
                               {"enable.auto.commit", "false"},
                               {"enable.partition.eof", "true"}})) {
        rd_kafka_poll_set_consumer(client_.get());
        const int partitions = partition_count(client_.get(), options.topic);
        assign_all(client_.get(), options.topic, partitions, RD_KAFKA_OFFSET_END);
        while (static_cast<int>(at_end_.size()) < partitions) poll();
        reading_ = std::thread([this] {
            while (!stop_) poll();
        });
    }

    /// Once nothing has come for half a second.
    Report finish() {
        constexpr auto quiet = std::chrono::milliseconds(500);
        for (Clock::rep seen = -1; seen != last_;) {
            seen = last_;
            std::this_thread::sleep_for(quiet);
        }
        stop_ = true;
        reading_.join();
        rd_kafka_consumer_close(client_.get());
        report_.seconds = options_.seconds;
        return report_;
    }

  private:
    void poll() {
        constexpr int pause_ms = 100;
        rd_kafka_message_t* const message = rd_kafka_consumer_poll(client_.get(), pause_ms);
        if (message == nullptr) return;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            at_end_.insert(message->partition);
        } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (report_.errors++ == 0) report_.first_error = rd_kafka_err2str(message->err);
        } else {
            take(*message);
        }
        rd_kafka_message_destroy(message);
    }

    void take(const rd_kafka_message_t& message) {
        const auto now = Clock::now();
        last_ = now.time_since_epoch().count();
        Clock::rep ticks = 0;
        if (message.len < sizeof ticks) fail("a record without a stamp: it must have 8 bytes");
        std::memcpy(&ticks, message.payload, sizeof ticks);
        const Clock::time_point due{Clock::duration(ticks)};
        if (begin_ == Clock::time_point{})
            begin_ = due + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options_.warmup_seconds));
        if (due < begin_) return;
        ++report_.records;
        report_.latency_us.add(static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(now - due).count()));
    }

    const Options& options_;
    Client client_;
    std::set<int32_t> at_end_;
    Clock::time_point begin_;  // the end of the warm-up
    std::atomic<Clock::rep> last_ = 0;
    std::atomic<bool> stop_ = false;
    Report report_;
    std::thread reading_;
};

}  // namespace

Report end_to_end(const Options& options) {
    Options stamped = options;
    stamped.stamped = true;
    if (stamped.rate_mb_per_s <= 0) fail("endtoend needs --rate");
    Tail tail(stamped);
    const Report sent = produce(stamped);
    Report out = tail.finish();
    out.errors += sent.errors;
    if (out.first_error.empty()) out.first_error = sent.first_error;
    return out;
}

}  // namespace bench
