#include "tests/chaos/workload.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/signals.h"

namespace chaos {
namespace {

using Clock = std::chrono::steady_clock;

/// Who takes part, by number: first producers, then consumers, members, who watches ends, and the
/// last reader.
struct Processes {
    explicit Processes(const Options& o)
        : consumers(o.producers),
          members(consumers + o.consumers),
          watcher(members + o.members),
          last(watcher + 1) {}
    uint32_t consumers, members, watcher, last;
};

void name_all(Shared& shared, const Processes& processes) {
    const auto name = [&](uint32_t number, const char* what, uint32_t first) {
        const bool sends = number < processes.consumers;
        const bool member = number >= processes.members && number < processes.watcher;
        shared.history.add(
            {.op = lab::Op::name_process,
             .flags = sends && shared.idempotent() ? lab::flag::idempotent : uint8_t{0},
             .process = number,
             .group = member ? 1U : 0U,
             .name = std::string(what) + "-" + std::to_string(number - first)});
    };
    for (uint32_t i = 0; i < shared.partitions.size(); ++i)
        shared.history.add({.op = lab::Op::name_partition,
                            .partition = i,
                            .name = shared.partitions[i].topic + "/" +
                                    std::to_string(shared.partitions[i].number)});
    shared.history.add({.op = lab::Op::name_group, .group = 1, .name = "group"});
    for (uint32_t i = 0; i <= processes.last; ++i) {
        if (i < processes.consumers) name(i, "producer", 0);
        else if (i < processes.members) name(i, "consumer", processes.consumers);
        else if (i < processes.watcher) name(i, "member", processes.members);
        else name(i, i == processes.watcher ? "watcher" : "last reader", i);
    }
}

/// The partitions of the topics; empty if nobody tells in time.
std::vector<Partition> find_partitions(const Options& options) {
    cli::RdConfig config(options.bootstrap);
    auto client = std::move(config).make(RD_KAFKA_PRODUCER);
    if (!client.ok()) return {};
    const auto until = Clock::now() + std::chrono::duration<double>(options.patience_seconds);
    while (Clock::now() < until) {
        const rd_kafka_metadata_t* metadata = nullptr;
        constexpr int patience_ms = 5000;
        std::vector<Partition> out;
        if (rd_kafka_metadata(client->get(), 1, nullptr, &metadata, patience_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            for (const std::string& topic : options.topics)
                for (int i = 0; i < metadata->topic_cnt; ++i)
                    if (topic == metadata->topics[i].topic)
                        for (int32_t p = 0; p < metadata->topics[i].partition_cnt; ++p)
                            out.push_back({topic, p});
            rd_kafka_metadata_destroy(metadata);
        }
        if (!out.empty()) return out;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return {};
}

void tell_progress(const Shared& shared, const char* phase) {
    std::printf(
        "{\"phase\": \"%s\", \"sent\": %lu, \"acknowledged\": %lu, \"refused\": %lu, "
        "\"in_doubt\": %lu, \"polled\": %lu, \"fatal\": %lu}\n",
        phase, shared.sent.load(), shared.acknowledged.load(), shared.refused.load(),
        shared.in_doubt.load(), shared.polled.load(), shared.fatal.load());
    std::fflush(stdout);
}

void wait_for_the_end(cli::Signals& signals, const Shared& shared) {
    const auto until = Clock::now() + std::chrono::duration<double>(shared.options.seconds);
    while (Clock::now() < until) {
        if (signals.wait(std::chrono::milliseconds(500))) return;
        tell_progress(shared, "load");
    }
}

void join(std::vector<std::thread>& threads) {
    for (std::thread& thread : threads) thread.join();
}

/// Whether everything could be read in the end.
bool run(Shared& shared, cli::Signals& signals) {
    const Processes of(shared.options);
    name_all(shared, of);
    std::vector<std::thread> producers;
    std::vector<std::thread> consumers;
    std::vector<std::thread> others;
    for (uint32_t i = 0; i < of.consumers; ++i)
        producers.emplace_back(produce, std::ref(shared), i);
    for (uint32_t i = of.consumers; i < of.members; ++i)
        consumers.emplace_back(consume, std::ref(shared), i);
    for (uint32_t i = of.members; i < of.watcher; ++i)
        others.emplace_back(take_part, std::ref(shared), i);
    if (shared.options.watch_ends) others.emplace_back(watch_ends, std::ref(shared), of.watcher);
    if (shared.options.churn) others.emplace_back(churn, std::ref(shared));

    wait_for_the_end(signals, shared);
    shared.no_more_sends = true;
    join(producers);
    tell_progress(shared, "answered");
    shared.ends = ends_of_all(shared);
    const bool told = !shared.ends.empty();
    if (!told) shared.ends.assign(shared.partitions.size(), {0, 0});
    shared.read_all = true;
    join(consumers);
    shared.end = true;
    join(others);
    tell_progress(shared, "consumed");
    const bool drained = told && drain(shared, of.last);
    tell_progress(shared, drained ? "drained" : "not drained");
    return drained;
}

int main_of(const Options& options) {
    cli::Signals signals;
    auto history = lab::HistoryFile::create(options.history, options.run);
    if (!history.ok()) {
        std::fprintf(stderr, "%s\n", base::message(history.status()).c_str());
        return 1;
    }
    Shared shared{.options = options, .history = **history};
    shared.partitions = find_partitions(options);
    if (shared.partitions.empty()) {
        std::fprintf(stderr, "nobody tells of the topics\n");
        return 1;
    }
    const bool drained = run(shared, signals);
    const base::Status written = (*history)->flush();
    if (!written.ok()) std::fprintf(stderr, "%s\n", base::message(written).c_str());
    return drained && written.ok() ? 0 : 1;
}

}  // namespace
}  // namespace chaos

int main(int argc, char** argv) {
    chaos::Options options;
    CLI::App app{"Sends, reads and commits, and writes down what it saw, for moldau lab check"};
    app.add_option("-b,--bootstrap", options.bootstrap, "Brokers");
    app.add_option("--topics", options.topics, "Topics that are there")->delimiter(',')->required();
    app.add_option("--history", options.history, "The file to write")->required();
    app.add_option("--run", options.run, "A number of this run; of one run are its values");
    app.add_option("--producers", options.producers);
    app.add_option("--consumers", options.consumers, "In no group; each reads everything");
    app.add_option("--members", options.members, "Of one group");
    app.add_option("--acks", options.acks, "all (and idempotent), or 1")
        ->check(CLI::IsMember({"all", "1"}));
    app.add_option("--rate", options.rate, "Values a second, of all producers together");
    app.add_option("--payload-bytes", options.payload_bytes);
    app.add_option("--seconds", options.seconds, "How long is sent; SIGTERM ends it earlier");
    app.add_option("--patience-seconds", options.patience_seconds,
                   "For the last answers, and again for reading everything");
    app.add_flag("!--no-ends", options.watch_ends, "Nobody asks for the ends of partitions");
    app.add_flag("--churn", options.churn, "Topics come, grow and go meanwhile");
    app.add_option("--set", options.set, "key=value of librdkafka's, for every client")->take_all();
    CLI11_PARSE(app, argc, argv);
    return chaos::main_of(options);
}
