#pragma once
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/histogram.h"

namespace bench {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string brokers = "localhost:9092";
    std::string topic = "load";
    int producers = 1;  // each a client of its own, with its own connection
    size_t record_bytes = 1024;
    std::string acks = "all";
    std::string compression = "none";
    double rate_mb_per_s = 0;  // of all producers together; 0: as fast as it is acknowledged
    double seconds = 10;       // measured, after the warm-up
    double warmup_seconds = 2;
    double linger_ms = 5;
    int64_t most_records = 0;      // consume and produce: stop after so many; 0: no limit
    bool stamped = false;          // a value begins with when its record was due, in Clock's ticks
    double per_partition = 200;    // steady: records each second
    std::vector<std::string> set;  // librdkafka options, key=value
};

/// What was measured. MB are 10^6 bytes of record values.
struct Report {
    int64_t records = 0;
    int64_t errors = 0;
    double seconds = 0;
    Histogram latency_us;  // of produce: from when a record was due to its acknowledgement
    std::string first_error;
};

struct Destroy {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, Destroy>;

/// A client with the options of all modes and `more`. Ends the program if librdkafka refuses one.
Client make_client(rd_kafka_type_t type, const Options& options,
                   const std::vector<std::pair<std::string, std::string>>& more,
                   void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr,
                   void* opaque = nullptr);
[[noreturn]] void fail(const std::string& why);

/// How many partitions the topic has. Ends the program if there is none.
int partition_count(rd_kafka_t* client, const std::string& topic);
/// Reads all of them from `offset`, as RD_KAFKA_OFFSET_BEGINNING.
void assign_all(rd_kafka_t* client, const std::string& topic, int partitions, int64_t offset);

Report produce(const Options& options);
/// Reads the topic once from its beginning to its end, or `most_records`.
Report consume(const Options& options);
/// Reads at the end of the topic what produce() sends meanwhile: latency is from when a record was
/// due to when the consumer has it.
Report end_to_end(const Options& options);
/// Sends to each partition at a steady pace, with librdkafka's defaults, until SIGTERM, and prints
/// where acknowledgements stood still: see load_steady.cc.
void steady(const Options& options);
/// Tries from now on until one record is acknowledged; the wall clock then, in seconds since 1970.
double first_acknowledged(const Options& options);

}  // namespace bench
