#include <benchmark/benchmark.h>

#include "kafka/records/records.h"
#include "kafka/records/samples.h"
#include "kafka/records/validate.h"

namespace kafka {
namespace {

constexpr size_t batch_size = 1 << 20;
constexpr base::TimestampMs now = 1'700'000'001'000;

/// About a megabyte of records with values of `value_size` bytes.
base::Bytes megabyte(size_t value_size, Codec codec) {
    return sample_batch(static_cast<int>(batch_size / (value_size + 20)), value_size,
                        {.compression = {codec}});
}

void validate(benchmark::State& state) {
    auto bytes = megabyte(static_cast<size_t>(state.range(0)), static_cast<Codec>(state.range(1)));
    const auto count = BatchView(bytes).count();
    const BatchRules rules{.max_message_bytes = 2 << 20};
    for (auto _ : state) {
        auto outcome = validate_batch(bytes, rules, now);
        CHECK(outcome.ok()) << outcome.error().message;
        benchmark::DoNotOptimize(outcome);
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * count);
    state.SetLabel(std::string(name(static_cast<Codec>(state.range(1)))));
}
BENCHMARK(validate)->ArgsProduct({{100, 1024}, {0, 1, 2, 3, 4}});

void walk_batches(benchmark::State& state) {
    base::Bytes range;
    const auto one = sample_batch(10, 1024);
    while (range.size() < batch_size) range.insert(range.end(), one.begin(), one.end());
    for (auto _ : state) {
        base::View rest(range);
        while (const auto batch = take_batch(rest)) benchmark::DoNotOptimize(batch->next_offset());
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * range.size()));
}
BENCHMARK(walk_batches);

void compress_records(benchmark::State& state) {
    const auto codec = static_cast<Codec>(state.range(0));
    const auto plain = sample_text(batch_size);
    base::Bytes out;
    for (auto _ : state) {
        out.clear();
        compress({codec, {}}, plain, out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * plain.size()));
    state.SetLabel(std::string(name(codec)));
}
BENCHMARK(compress_records)->DenseRange(1, 4);

void decompress_records(benchmark::State& state) {
    const auto codec = static_cast<Codec>(state.range(0));
    base::Bytes packed;
    compress({codec, {}}, sample_text(batch_size), packed);
    for (auto _ : state) {
        auto out = decompress(codec, packed, batch_size);
        CHECK(out.ok());
        benchmark::DoNotOptimize(out->bytes().data());
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch_size));
    state.SetLabel(std::string(name(codec)));
}
BENCHMARK(decompress_records)->DenseRange(1, 4);

void build_batch(benchmark::State& state) {
    for (auto _ : state) {
        auto bytes = sample_batch(100, 0);
        benchmark::DoNotOptimize(bytes.data());
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 100);
}
BENCHMARK(build_batch);

}  // namespace
}  // namespace kafka

BENCHMARK_MAIN();
