// Append to and read from a log on the disk under TMPDIR (or /tmp).
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "base/check.h"
#include "io/posix_disk.h"
#include "kafka/records/builder.h"
#include "storage/log.h"
#include "storage/store/memory_store.h"

namespace storage {
namespace {

constexpr size_t record_bytes = 1024;

base::Bytes batch_of(size_t bytes) {
    kafka::BatchBuilder builder;
    const std::string value(record_bytes, 'v');
    while (builder.size() + record_bytes <= bytes) builder.add(1, "", value);
    return std::move(builder).build();
}

/// A log in a directory of its own, removed at the end.
class TemporaryLog {
  public:
    TemporaryLog() {
        const char* root = getenv("TMPDIR");
        directory_ = std::string(root != nullptr ? root : "/tmp") + "/log_bench.XXXXXX";
        CHECK(mkdtemp(directory_.data()) != nullptr) << directory_;
        LogConfig config;
        config.max_message_bytes = 64u << 20;
        auto opened =
            Log::open({directory_ + "/topic-0", {{1, 2}, 0}, disk_.get(), &store_}, config, 0);
        CHECK(opened.ok()) << opened.status();
        log_ = *std::move(opened);
    }
    ~TemporaryLog() {
        log_.reset();
        disk_->remove_all(directory_).IgnoreError();
    }
    Log& operator*() { return *log_; }
    Log* operator->() { return log_.get(); }

  private:
    std::string directory_;
    std::unique_ptr<io::Disk> disk_ = io::posix_disk();
    MemoryStore store_;
    std::unique_ptr<Log> log_;
};

/// Old segments go now and then, so that the disk does not fill up.
void keep_small(Log& log) {
    constexpr uint64_t most = uint64_t{4} << 30;
    if (log.size_bytes() < most) return;
    LogConfig config;
    config.max_message_bytes = 64u << 20;
    config.retention_bytes = 1 << 30;
    config.file_delete_delay_ms = 0;
    log.set_config(config);
    CHECK(log.apply_retention(log.end(), 0).ok());
    CHECK(log.maintain(1).ok());
}

void append(benchmark::State& state) {
    TemporaryLog log;
    base::Bytes batch = batch_of(static_cast<size_t>(state.range(0)) << 10);
    for (auto _ : state) {
        const auto done = log->append(batch, 0, 1);
        CHECK(done.ok()) << done.error().message;
        keep_small(*log);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}
BENCHMARK(append)->Arg(16)->Arg(64)->Arg(1024)->UseRealTime();

void append_and_sync(benchmark::State& state) {
    TemporaryLog log;
    base::Bytes batch = batch_of(static_cast<size_t>(state.range(0)) << 10);
    for (auto _ : state) {
        CHECK(log->append(batch, 0, 1).ok());
        auto sync = log->take_sync();
        log->synced(*sync, sync->run());
        keep_small(*log);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}
BENCHMARK(append_and_sync)->Arg(16)->Arg(1024)->UseRealTime();

void read_slices(benchmark::State& state) {
    TemporaryLog log;
    base::Bytes batch = batch_of(static_cast<size_t>(state.range(0)) << 10);
    while (log->size_bytes() < (uint64_t{256} << 20)) CHECK(log->append(batch, 0, 1).ok());
    base::Offset from = 0;
    int64_t bytes = 0;
    for (auto _ : state) {
        const auto read = log->read(from, log->end(), 1 << 20, true);
        CHECK(read.ok()) << read.status();
        benchmark::DoNotOptimize(read->slices.data());
        bytes += read->bytes;
        from = read->next < log->end() ? read->next : 0;
    }
    state.SetBytesProcessed(bytes);
}
BENCHMARK(read_slices)->Arg(16)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace storage

BENCHMARK_MAIN();
