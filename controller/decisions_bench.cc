// What 10,000 partitions on three brokers cost the controller: to decide, to replay, to keep.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "controller/brokers.h"
#include "controller/partitions.h"
#include "controller/testing.h"
#include "controller/topics.h"
#include "metadata/snapshot.h"

namespace controller {
namespace {

constexpr int64_t kPartitions = 10'000;
constexpr int kReplicas = 3;

kafka::CreateTopicsRequest wanted(int64_t topics) {
    kafka::CreateTopicsRequest request;
    for (int64_t i = 0; i < topics; ++i) {
        auto& topic = request.topics.emplace_back();
        topic.name = "a-topic-of-a-usual-length-" + std::to_string(i);
        topic.num_partitions = static_cast<int32_t>(kPartitions / topics);
        topic.replication_factor = kReplicas;
    }
    return request;
}

Records created(TestCluster& cluster, int64_t topics) {
    const auto ids = cluster.next_ids(static_cast<size_t>(topics));
    auto decision = create_topics(cluster.state(), wanted(topics), ids, 0);
    CHECK(static_cast<int64_t>(decision.records.size()) == kPartitions + topics);
    return std::move(decision.records);
}

TestCluster filled(int64_t topics) {
    TestCluster cluster(kReplicas);
    cluster.replay(created(cluster, topics));
    return cluster;
}

std::string serialized(const Records& records) {
    v1::Entry entry;
    for (const auto& r : records) *entry.add_records() = r;
    return entry.SerializeAsString();
}

void tell_bytes(benchmark::State& state, const Records& records) {
    state.counters["entry_bytes"] = static_cast<double>(serialized(records).size());
}

/// The argument is the number of topics that have the partitions.
void create_decide(benchmark::State& state) {
    TestCluster cluster(kReplicas);
    Records records;
    for (auto _ : state) records = created(cluster, state.range(0));
    tell_bytes(state, records);
}

void replay(benchmark::State& state, const TestCluster& before, const Records& records) {
    for (auto _ : state) {
        Controller controller(before.image());
        Entry entry{{before.image()->position().index + 1, 1}, records};
        CHECK(controller.replay({&entry, 1}).ok());
        benchmark::DoNotOptimize(controller.image());
    }
}

void create_replay(benchmark::State& state) {
    TestCluster cluster(kReplicas);
    const Records records = created(cluster, state.range(0));
    replay(state, cluster, records);
}

void serialize(benchmark::State& state) {
    TestCluster cluster(kReplicas);
    const Records records = created(cluster, state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(serialized(records));
}

/// A broker that leads a third of the partitions, and follows in the others.
void fence_decide(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    Records records;
    for (auto _ : state) records = fence_broker(cluster.state(), base::BrokerId{0}, 1)->records;
    CHECK(static_cast<int64_t>(records.size()) == kPartitions + 1);
    tell_bytes(state, records);
}

void fence_replay(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    replay(state, cluster, fence_broker(cluster.state(), base::BrokerId{0}, 1)->records);
}

/// All that the active controller does when a broker is dead: it decides, replays for the decisions
/// that follow, writes the entry, and reads and replays it once it is committed.
void fence(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    for (auto _ : state) {
        auto records = fence_broker(cluster.state(), base::BrokerId{0}, 1)->records;
        metadata::Delta head(cluster.image()), committed(cluster.image());
        v1::Entry entry, read;
        for (auto& r : records) {
            CHECK(head.replay(r).ok());
            *entry.add_records() = std::move(r);
        }
        benchmark::DoNotOptimize(head.apply());
        CHECK(read.ParseFromString(entry.SerializeAsString()));
        for (const auto& r : read.records()) CHECK(committed.replay(r).ok());
        benchmark::DoNotOptimize(committed.apply());
    }
}

void unfence_decide(benchmark::State& state) {
    auto cluster = filled(state.range(0));
    cluster.commit(*fence_broker(cluster.state(), base::BrokerId{0}, 1));
    for (auto _ : state) benchmark::DoNotOptimize(beat(cluster.state(), base::BrokerId{0}, 1));
}

/// A heartbeat of a broker that is well, by far the most common decision.
void heartbeat_decide(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    const Heartbeat beat{.broker = base::BrokerId{0}, .epoch = 1, .metadata_index = 2};
    for (auto _ : state) benchmark::DoNotOptimize(heartbeat(cluster.state(), beat, {}));
}

/// One partition changes, by decision and replay, in an image of all.
void change_one(benchmark::State& state) {
    auto cluster = filled(state.range(0));
    const auto& topic = *cluster.image()->topics().begin()->value;
    kafka::AlterPartitionRequest request;
    request.broker_id = topic.partitions[0]->leader.value;
    request.broker_epoch = 1;
    auto& row = request.topics.emplace_back().partitions.emplace_back();
    request.topics[0].topic_id = topic.id;
    row.new_isr_with_epochs = {{request.broker_id, 1}};
    for (auto _ : state) {
        auto decision = alter_partitions(cluster.state(), request);
        Controller controller(cluster.image());
        Entry entry{{cluster.image()->position().index + 1, 1}, std::move(decision.records)};
        CHECK(controller.replay({&entry, 1}).ok());
        benchmark::DoNotOptimize(controller.image());
    }
}

Records snapshot(const metadata::Image& image) {
    Records records;
    metadata::for_each_record(image, [&](const v1::Record& r) { records.push_back(r); });
    return records;
}

void load_snapshot(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    const Records records = snapshot(*cluster.image());
    for (auto _ : state)
        benchmark::DoNotOptimize(metadata::image_of(records, cluster.image()->position()));
}

void difference(benchmark::State& state) {
    const auto cluster = filled(state.range(0));
    const auto other = *metadata::image_of(snapshot(*cluster.image()), cluster.image()->position());
    for (auto _ : state)
        benchmark::DoNotOptimize(metadata::Delta::between(cluster.image(), other)->empty());
}

/// What an image keeps allocated for each partition, all that belongs to topics included.
void memory(benchmark::State& state) {
    double bytes = 0;
    for (auto _ : state) {
        TestCluster cluster(kReplicas);
        const auto records = created(cluster, state.range(0));
        const auto before = mallinfo2().uordblks;
        const auto image = *metadata::image_of(records, cluster.image()->position());
        bytes = static_cast<double>(mallinfo2().uordblks - before);
        benchmark::DoNotOptimize(image);
    }
    state.counters["bytes_per_partition"] = bytes / kPartitions;
}

void topics(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("topics")->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
}

BENCHMARK(create_decide)->Apply(topics);
BENCHMARK(create_replay)->Apply(topics);
BENCHMARK(serialize)->Apply(topics);
BENCHMARK(fence_decide)->Apply(topics);
BENCHMARK(fence_replay)->Apply(topics);
BENCHMARK(fence)->Apply(topics);
BENCHMARK(unfence_decide)->Apply(topics);
BENCHMARK(heartbeat_decide)->Apply(topics);
BENCHMARK(change_one)->Apply(topics);
BENCHMARK(load_snapshot)->Apply(topics);
BENCHMARK(difference)->Apply(topics);
BENCHMARK(memory)->Apply(topics)->Iterations(1);

}  // namespace
}  // namespace controller

BENCHMARK_MAIN();
