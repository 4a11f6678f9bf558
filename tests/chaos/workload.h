#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/rdkafka.h"
#include "lab/history_files.h"

namespace chaos {

struct Options {
    std::string bootstrap = "localhost:9092";
    std::vector<std::string> topics;
    std::string history;
    uint64_t run = 1;
    uint32_t producers = 2;
    uint32_t consumers = 2;  // in no group, each reads everything
    uint32_t members = 2;    // of one group
    std::string acks = "all";
    uint32_t rate = 500;  // values a second, of all producers together
    uint32_t payload_bytes = 200;
    double seconds = 10;            // how long is produced; SIGTERM ends it earlier
    double patience_seconds = 120;  // for the last answers, and for reading everything at the end
    bool watch_ends = true;         // somebody asks for the ends of partitions
    bool churn = false;             // topics come, grow and go meanwhile
    std::vector<std::string> set;   // key=value for every client
};

struct Partition {
    std::string topic;
    int32_t number = 0;
};

/// What all clients of the workload share.
struct Shared {
    Options options;
    lab::HistoryFile& history;
    std::vector<Partition> partitions;
    std::atomic<bool> no_more_sends{false};
    std::atomic<bool> end{false};       // for members and the watchers
    std::atomic<bool> read_all{false};  // consumers stop once they have read up to `ends`
    std::vector<std::pair<int64_t, int64_t>> ends;  // of each partition: start and end; set before
    std::atomic<uint64_t> sent{0}, acknowledged{0}, in_doubt{0}, refused{0}, polled{0};
    std::atomic<uint64_t> fatal{0};  // producers that had to be made anew

    /// The number of a partition in the history; `partitions.size()` if it is of another topic.
    uint32_t number_of(std::string_view topic, int32_t partition) const;
    /// A client's configuration with what was asked for on the command line.
    cli::RdConfig config() const;
    bool idempotent() const { return options.acks == "all"; }
};

/// Sends values until there shall be no more, then waits for the last answers.
void produce(Shared&, uint32_t process);
/// Reads every partition from its start; after `read_all` up to the ends.
void consume(Shared&, uint32_t process);
/// Takes part in the group, and commits what it was given.
void take_part(Shared&, uint32_t process);
/// Asks for the ends of partitions.
void watch_ends(Shared&, uint32_t process);
/// Makes topics, adds partitions to them, deletes them.
void churn(Shared&);

/// The start and the end of each partition. Empty if that is not told in time.
std::vector<std::pair<int64_t, int64_t>> ends_of_all(Shared&);
/// Reads all partitions up to `ends`; false if that did not come about in time.
bool drain(Shared&, uint32_t process);

/// A message as it was received, for the history. Nothing is noted if it is of another topic.
void note_message(Shared&, uint32_t process, lab::Op op, const rd_kafka_message_t& message);

}  // namespace chaos
