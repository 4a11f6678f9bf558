#include <chrono>
#include <cstdio>
#include <thread>

#include "base/check.h"
#include "lab/outcome.h"
#include "lab/payload.h"
#include "tests/chaos/workload.h"

namespace chaos {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t most_pending = 2000;

/// One that sends; a fatal error of librdkafka's makes it begin anew, with the next value.
class Producer {
  public:
    Producer(Shared& shared, uint32_t process)
        : shared_(shared), process_(process), began_(Clock::now()) {}

    void run() {
        while (!shared_.no_more_sends) {
            begin();
            while (!shared_.no_more_sends && !broken()) step();
            finish();
        }
    }

  private:
    /// What librdkafka hands back with the answer.
    struct Ticket {
        uint64_t counter;
        uint32_t partition;
    };

    void begin() {
        auto config = shared_.config();
        config.set("acks", shared_.options.acks);
        config.set("enable.idempotence", shared_.idempotent() ? "true" : "false");
        rd_kafka_conf_set_opaque(config.raw(), this);
        rd_kafka_conf_set_dr_msg_cb(config.raw(),
                                    [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                        static_cast<Producer*>(self)->answered(*message);
                                    });
        auto made = std::move(config).make(RD_KAFKA_PRODUCER);
        if (!made.ok()) std::fprintf(stderr, "%s\n", base::message(made.status()).c_str());
        CHECK(made.ok());
        client_ = *std::move(made);
    }
    bool broken() {
        std::array<char, 256> why{};
        const auto error = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return false;
        std::fprintf(stderr, "producer %u begins anew: %s\n", process_, why.data());
        ++shared_.fatal;
        return true;
    }

    void step() {
        constexpr int wait_ms = 2;
        if (pending_ >= most_pending || ahead()) {
            rd_kafka_poll(client_.get(), wait_ms);
            return;
        }
        send();
        rd_kafka_poll(client_.get(), 0);
    }
    /// Of its share of the rate. What could not be sent while brokers were away is not made up for.
    bool ahead() {
        const double rate = static_cast<double>(shared_.options.rate) / shared_.options.producers;
        const std::chrono::duration<double> since = Clock::now() - began_;
        const double due = since.count() * rate;
        constexpr double most_behind = 100;
        if (due - sent_of_rate_ > most_behind) sent_of_rate_ = due - most_behind;
        return sent_of_rate_ > due;
    }

    void send() {
        const uint64_t counter = counter_++;
        // Runs of some values to one partition make batches of more than one.
        constexpr uint64_t run_length = 5;
        const auto number =
            static_cast<uint32_t>((process_ + counter / run_length) % shared_.partitions.size());
        const Partition& partition = shared_.partitions[number];
        const lab::Value value{process_, counter};
        const base::Bytes bytes =
            lab::encode_payload({shared_.options.run, value, partition.number, partition.topic},
                                shared_.options.payload_bytes);
        note(lab::Phase::invoke, {counter, number}, -1, 0);
        ++shared_.sent;
        ++sent_of_rate_;
        ++pending_;
        auto* const ticket = new Ticket{counter, number};
        // NOLINTBEGIN: librdkafka's variadic interface
        const auto error = rd_kafka_producev(
            client_.get(), RD_KAFKA_V_TOPIC(partition.topic.c_str()),
            RD_KAFKA_V_PARTITION(partition.number),
            RD_KAFKA_V_VALUE(const_cast<std::byte*>(bytes.data()), bytes.size()),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(ticket), RD_KAFKA_V_END);
        // NOLINTEND
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) ended(ticket, lab::Phase::fail, -1, error);
    }
    void answered(const rd_kafka_message_t& message) {
        auto* const ticket = static_cast<Ticket*>(message._private);
        if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ended(ticket, lab::Phase::ok, message.offset, 0);
            return;
        }
        const bool never = rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
        ended(ticket, lab::failed_send(message.err, never), -1, message.err);
    }
    void ended(Ticket* ticket, lab::Phase phase, int64_t offset, int code) {
        note(phase, *ticket, offset, code);
        delete ticket;
        --pending_;
        if (phase == lab::Phase::ok) ++shared_.acknowledged;
        else ++(phase == lab::Phase::fail ? shared_.refused : shared_.in_doubt);
    }
    void note(lab::Phase phase, const Ticket& ticket, int64_t offset, int code) {
        shared_.history.add({.op = lab::Op::send,
                             .phase = phase,
                             .code = static_cast<int16_t>(code),
                             .process = process_,
                             .partition = ticket.partition,
                             .offset = offset,
                             .value = {process_, ticket.counter}});
    }

    /// Waits for the answers that are due; what has none in the end is in doubt.
    void finish() {
        const auto until =
            Clock::now() + std::chrono::duration<double>(shared_.options.patience_seconds);
        constexpr int wait_ms = 100;
        while (pending_ > 0 && Clock::now() < until &&
               rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR)
            rd_kafka_flush(client_.get(), wait_ms);
        rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        while (pending_ > 0) rd_kafka_poll(client_.get(), wait_ms);
        client_.reset();
    }

    Shared& shared_;
    uint32_t process_;
    Clock::time_point began_;
    cli::RdKafka client_;
    uint64_t counter_ = 0;
    uint64_t pending_ = 0;
    double sent_of_rate_ = 0;
};

}  // namespace

void produce(Shared& shared, uint32_t process) { Producer(shared, process).run(); }

}  // namespace chaos
