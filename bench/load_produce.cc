#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "bench/load.h"

namespace bench {
namespace {

/// The same for all producers: a record counts if it was due inside the window.
struct Window {
    Clock::time_point begin;  // the end of the warm-up
    Clock::time_point end;
};

/// Payloads that don't compress to nothing, and differ: windows into one random buffer.
class Payloads {
  public:
    explicit Payloads(size_t record_bytes)
        : record_bytes_(record_bytes), bytes_(record_bytes + span) {
        std::mt19937_64 random(1);
        for (char& byte : bytes_) byte = static_cast<char>(random());
    }
    void* next() { return &bytes_[++turn_ * 61 % span]; }
    size_t size() const { return record_bytes_; }

  private:
    static constexpr size_t span = 1 << 16;
    size_t record_bytes_;
    std::vector<char> bytes_;
    size_t turn_ = 0;
};

/// One client: a thread that sends, and one that takes the acknowledgements.
class Producer {
  public:
    Producer(const Options& options, const Window& window)
        : options_(options),
          window_(window),
          client_(make_client(RD_KAFKA_PRODUCER, options,
                              {{"acks", options.acks},
                               {"compression.type", options.compression},
                               {"linger.ms", std::to_string(options.linger_ms)},
                               {"batch.size", "1000000"},
                               {"queue.buffering.max.messages", "1000000"},
                               {"queue.buffering.max.kbytes", "65536"}},
                              &Producer::delivered, this)),
          polling_([this] {
              while (!stop_) rd_kafka_poll(client_.get(), 50);
          }) {}
    ~Producer() {
        stop_ = true;
        polling_.join();
    }

    void run() {
        if (options_.rate_mb_per_s > 0) send_at_rate();
        else send_as_acknowledged();
        constexpr int patience_ms = 60'000;
        rd_kafka_flush(client_.get(), patience_ms);
    }
    /// After run().
    const Report& report() const { return report_; }
    Clock::time_point last() const { return last_; }

  private:
    static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
        static_cast<Producer*>(self)->acknowledge(*message);
    }
    void acknowledge(const rd_kafka_message_t& message);
    bool send(Payloads& payloads, Clock::time_point due);
    void send_at_rate();
    void send_as_acknowledged();

    const Options& options_;
    const Window& window_;
    std::mutex mutex_;  // flush and the polling thread both deliver
    Report report_;
    Clock::time_point last_;
    std::atomic<bool> stop_ = false;
    Client client_;
    std::thread polling_;
};

void Producer::acknowledge(const rd_kafka_message_t& message) {
    const auto now = Clock::now();
    const Clock::time_point due{
        Clock::duration(static_cast<int64_t>(reinterpret_cast<intptr_t>(message._private)))};
    const std::lock_guard lock(mutex_);
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (report_.errors++ == 0) report_.first_error = rd_kafka_err2str(message.err);
        return;
    }
    // An open loop measures the records that were due in the window; a closed one what was
    // acknowledged in it.
    const auto counted = options_.rate_mb_per_s > 0 ? due : now;
    if (counted < window_.begin || counted > window_.end) return;
    ++report_.records;
    last_ = now;
    report_.latency_us.add(static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now - due).count()));
}

/// Whether the queue took it.
bool Producer::send(Payloads& payloads, Clock::time_point due) {
    void* const value = payloads.next();
    const int64_t ticks = due.time_since_epoch().count();
    if (options_.stamped) std::memcpy(value, &ticks, sizeof ticks);
    const auto error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(options_.topic.c_str()),
        RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(value, payloads.size()),
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque of librdkafka, never followed.
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(ticks)), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        fail(rd_kafka_err2str(error));
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Producer::send_as_acknowledged() {
    Payloads payloads(options_.record_bytes);
    for (int64_t sent = 0; Clock::now() < window_.end;) {
        if (options_.most_records > 0 && sent >= options_.most_records) break;
        if (send(payloads, Clock::now())) ++sent;
        else std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
}

/// Every record has its time, and late ones are sent at once: a broker that stalls is charged for
/// all that should have happened meanwhile.
void Producer::send_at_rate() {
    Payloads payloads(options_.record_bytes);
    const double per_second = options_.rate_mb_per_s * 1e6 /
                              static_cast<double>(options_.record_bytes) / options_.producers;
    const auto start = Clock::now();
    for (int64_t i = 0;; ++i) {
        const auto due = start + std::chrono::nanoseconds(static_cast<int64_t>(
                                     static_cast<double>(i) * 1e9 / per_second));
        if (due > window_.end) return;
        while (Clock::now() < due) std::this_thread::sleep_until(due);
        while (!send(payloads, due)) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
}

}  // namespace

Report produce(const Options& options) {
    const auto seconds = [](double s) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s));
    };
    Window window;
    window.begin = Clock::now() + seconds(options.warmup_seconds);
    window.end = window.begin + seconds(options.seconds);
    std::vector<std::unique_ptr<Producer>> producers;
    for (int i = 0; i < options.producers; ++i)
        producers.push_back(std::make_unique<Producer>(options, window));
    std::vector<std::thread> threads;
    for (const auto& one : producers) threads.emplace_back([&one] { one->run(); });
    for (std::thread& thread : threads) thread.join();

    Report out;
    Clock::time_point last = window.begin;
    for (const auto& one : producers) {
        const Report& part = one->report();
        out.records += part.records;
        out.errors += part.errors;
        out.latency_us.add(part.latency_us);
        if (out.first_error.empty()) out.first_error = part.first_error;
        last = std::max(last, one->last());
    }
    // With a limit on records the end is when the last one was acknowledged.
    const auto end = options.most_records > 0 ? last : window.end;
    out.seconds = std::max(1e-9, std::chrono::duration<double>(end - window.begin).count());
    return out;
}

namespace {

/// Waits until the first broker accepts connections. A client that was refused once looks again
/// only a second later, and that second would be counted as the broker's.
void wait_until_accepting(const std::string& brokers) {
    const std::string first = brokers.substr(0, brokers.find(','));
    const size_t colon = first.rfind(':');
    if (colon == std::string::npos) fail("not HOST:PORT: " + first);
    addrinfo* found = nullptr;
    const addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(first.substr(0, colon).c_str(), first.substr(colon + 1).c_str(), &hints,
                    &found) != 0)
        fail("can't resolve " + first);
    const auto deadline = Clock::now() + std::chrono::minutes(2);
    for (bool accepted = false; !accepted;) {
        if (Clock::now() > deadline) fail(first + " accepts no connection");
        for (const addrinfo* a = found; a != nullptr && !accepted; a = a->ai_next) {
            const int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
            accepted = fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0;
            if (fd >= 0) close(fd);
        }
        if (!accepted) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    freeaddrinfo(found);
}

}  // namespace

double first_acknowledged(const Options& options) {
    wait_until_accepting(options.brokers);
    std::atomic<int64_t> when_us = 0;
    const Client client = make_client(
        RD_KAFKA_PRODUCER, options,
        {{"acks", options.acks},
         {"linger.ms", "0"},
         {"reconnect.backoff.ms", "5"},
         {"reconnect.backoff.max.ms", "20"},
         {"retry.backoff.ms", "5"},
         {"topic.metadata.refresh.fast.interval.ms", "10"},
         {"message.timeout.ms", "120000"}},
        [](rd_kafka_t*, const rd_kafka_message_t* message, void* to) {
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(message->err));
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            *static_cast<std::atomic<int64_t>*>(to) =
                std::chrono::duration_cast<std::chrono::microseconds>(now).count();
        },
        &when_us);
    std::string value = "first";
    if (rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(options.topic.c_str()),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(value.data(), value.size()),
                          RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("can't queue a record");
    while (when_us == 0) rd_kafka_poll(client.get(), 50);
    return static_cast<double>(when_us) / 1e6;
}

}  // namespace bench
