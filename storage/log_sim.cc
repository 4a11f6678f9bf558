#include "storage/log_sim.h"

#include <algorithm>

#include "base/check.h"
#include "kafka/records/builder.h"
#include "storage/sim_faults.h"

namespace storage {

namespace {

constexpr int most_steps = 90;

}  // namespace

LogSim::LogSim(uint64_t seed, Mutant mutant)
    : random_(seed),
      mutant_(mutant),
      disk_(std::make_unique<io::MemoryDisk>(random_())),
      store_(std::make_unique<MemoryStore>()) {
    CHECK(disk_->make_directories("data").ok() && disk_->sync_directory("/").ok());
    draw_config();
}

LogSim::~LogSim() = default;

void LogSim::fail(const std::string& what) {
    if (!failure_.empty()) return;
    failure_ = "step " + std::to_string(steps_) + ": " + what + "\n  after";
    const size_t from = trace_.size() > 40 ? trace_.size() - 40 : 0;
    for (size_t i = from; i < trace_.size(); ++i) failure_ += " | " + trace_[i];
}

std::string LogSim::run() {
    open();
    while (failure_.empty() && !over_ && steps_ < most_steps) {
        ++steps_;
        step();
    }
    if (failure_.empty() && !over_) {
        crash(chance(50) ? Crash::kill : Crash::power_loss);
        if (failure_.empty()) check();
    }
    return failure_;
}

void LogSim::draw_config() {
    config_.segment_bytes = static_cast<uint32_t>(600 + below(3000));
    config_.index_interval_bytes = static_cast<uint32_t>(below(400));
    config_.segment_index_bytes = chance(20) ? 48 : 4096;
    config_.segment_ms = chance(30) ? 200 : 1'000'000;
    config_.retention_ms = chance(30) ? static_cast<int64_t>(below(500)) : -1;
    config_.retention_bytes = chance(50) ? static_cast<int64_t>(below(5000)) : -1;
    config_.file_delete_delay_ms = static_cast<int64_t>(below(100));
}

void LogSim::step() {
    now_ += static_cast<base::TimestampMs>(below(20));
    if (!log_->health().ok()) {
        // A roll syncs if it comes before the first sync, and that may have been what failed.
        if (log_->synced() <= log_->start()) sync_failed_ = true;
        crash(chance(50) ? Crash::kill : Crash::power_loss);
        if (failure_.empty() && !over_) check();
        return;
    }
    act(below(1000));
    if (!failure_.empty() || over_ || log_ == nullptr) return;
    if (log_->health().ok()) {
        model_.acked = std::max(model_.acked, log_->synced());
        if (chance(30)) check();
    }
}

void LogSim::act(uint64_t dice) {
    if (dice < 400) return append();
    if (dice < 480) return append_replicated();
    if (dice < 560) return take_sync();
    if (dice < 640) return run_sync();
    if (dice < 720) return finish_sync();
    if (dice < 760) return truncate();
    if (dice < 780) return advance_start();
    if (dice < 785) return restart();
    if (dice < 815) return retain();
    if (dice < 875) {
        trace_.push_back("checkpoint");
        if (!log_->checkpoint(log_->end()).ok()) fail("checkpoint");
        return;
    }
    if (dice < 885) return full_disk();
    if (dice < 900) {
        draw_config();
        return log_->set_config(config_);
    }
    if (dice < 915) {
        trace_.push_back("begin epoch");
        if (!log_->begin_epoch(++epoch_).ok()) fail("begin_epoch");
        return;
    }
    if (dice < 935) {
        if (!log_->maintain(now_).ok() && log_->health().ok()) fail("maintain");
        return;
    }
    if (dice < 940) return close();
    if (dice < 965) return crash(chance(50) ? Crash::kill : Crash::power_loss);
    if (dice < 970) return flip_bit();
    trace_.push_back("fault ordered");
    using Operation = io::MemoryDisk::Operation;
    if (dice < 985) return disk_->stop_after(below(12));
    if (dice < 992) return disk_->fail(Operation::sync, 1 + below(3));
    if (dice < 996) return disk_->fail(Operation::append, 1 + below(3), 1, ".log");
    disk_->fail(Operation::sync_directory);
}

base::Bytes LogSim::build(Producers::Claim& claim, LogModel::Batch& batch) {
    kafka::BatchBuilder::Options options;
    if (chance(20)) options.compression.codec = chance(50) ? kafka::Codec::lz4 : kafka::Codec::gzip;
    const auto count = static_cast<int32_t>(1 + below(4));
    if (chance(70)) {
        const uint64_t who = below(4);
        claim.id = base::ProducerId{static_cast<int64_t>(who)};
        claim.epoch = 0;
        const Producers known = model_.producers(model_.end());
        const auto it = known.states().find(claim.id);
        const bool any = it != known.states().end() && !it->second.batches.empty();
        claim.first_sequence = any ? it->second.batches.back().last_sequence + 1 : 0;
        if (any && chance(10)) claim.first_sequence = it->second.batches.front().first_sequence;
        claim.last_sequence = claim.first_sequence + count - 1;
        options.producer_id = claim.id;
        options.producer_epoch = claim.epoch;
        options.base_sequence = claim.first_sequence;
    }
    options.base_offset = model_.end();
    options.leader_epoch = epoch_;
    kafka::BatchBuilder builder(options);
    batch.first = model_.end();
    batch.next = batch.first + count;
    for (int32_t i = 0; i < count; ++i) {
        const auto back = static_cast<base::TimestampMs>(below(60));
        const base::TimestampMs timestamp = chance(5) ? -1 : now_ - back;
        batch.records.push_back({batch.first + i, timestamp});
        builder.add(timestamp, "k", std::string(below(120), static_cast<char>('a' + below(26))));
    }
    return std::move(builder).build();
}

void LogSim::append() {
    if (chance(5)) ++epoch_;
    Producers::Claim claim;
    LogModel::Batch batch;
    base::Bytes bytes = build(claim, batch);
    const auto model = model_.producers(model_.end());
    const auto expected = claim.id.value >= 0
                              ? model.check(claim)
                              : kafka::Outcome<std::optional<ProducerBatch>>(std::nullopt);
    trace_.push_back("append " + std::to_string(batch.first) + ".." + std::to_string(batch.next));
    const auto done = log_->append(bytes, epoch_, now_);
    if (!done.ok() && done.error().code == kafka::ErrorCode::kafka_storage_error) {
        if (!log_->health().ok()) {
            batch.bytes = std::move(bytes);
            model_.batches.push_back(std::move(batch));  // all of it may be there, or nothing
        }
        return;
    }
    if (!expected.ok() || !done.ok()) {
        if (expected.ok() != done.ok()) fail("append: " + (done.ok() ? "" : done.error().message));
        return;
    }
    if (const auto& retry = *expected) {
        if (!done->duplicate || done->first != retry->first_offset) fail("retry not recognized");
        return;
    }
    if (done->duplicate || done->first != batch.first || done->last + 1 != batch.next) {
        return fail("append at another offset");
    }
    take_in(bytes, std::move(batch));
}

void LogSim::take_in(base::View bytes, LogModel::Batch batch) {
    batch.bytes.assign(bytes.begin(), bytes.end());
    model_.batches.push_back(std::move(batch));
    model_.written = model_.end();
}

void LogSim::append_replicated() {
    LogModel before = model_;
    base::Bytes all;
    for (uint64_t n = 1 + below(4); n > 0; --n) {
        if (chance(10)) ++epoch_;
        Producers::Claim claim;
        LogModel::Batch batch;
        const base::Bytes bytes = build(claim, batch);
        if (claim.id.value >= 0 && claim.first_sequence != 0) {
            const auto fine = model_.producers(model_.end()).check(claim);
            if (!fine.ok() || fine->has_value()) continue;
        }
        all.insert(all.end(), bytes.begin(), bytes.end());
        take_in(bytes, std::move(batch));
    }
    trace_.push_back("replicate to " + std::to_string(model_.end()));
    const auto done = log_->append_replicated(all, epoch_, now_);
    if (done.ok()) return;
    if (log_->health().ok()) return fail("append_replicated: " + base::message(done));
    model_.written = before.written;
}

void LogSim::take_sync() {
    if (sync_) return;
    sync_ = log_->take_sync();
    sync_outcome_.reset();
    trace_.push_back(sync_ ? "take sync " + std::to_string(sync_->end()) : "nothing to sync");
}

void LogSim::run_sync() {
    if (!sync_ || sync_outcome_) return;
    trace_.push_back("run sync");
    sync_outcome_ = mutant_ == Mutant::synced_before_run ? base::ok() : sync_->run();
}

void LogSim::finish_sync() {
    if (!sync_ || !sync_outcome_) return;
    trace_.push_back("finish sync");
    log_->synced(*sync_, *sync_outcome_);
    if (!sync_outcome_->ok()) sync_failed_ = true;
    sync_.reset();
}

void LogSim::truncate() {
    const auto offset = model_.end() - static_cast<base::Offset>(below(30));
    if (offset < model_.start) return;
    trace_.push_back("truncate to " + std::to_string(offset));
    const auto done = log_->truncate_to(offset);
    const auto to = model_.boundary(offset);
    if (done.ok()) {
        model_.cut_back(to);
        // A batch that holds the start went whole: the log begins anew there.
        if (to < model_.start) model_ = model_.emptied();
        if (log_->end() != model_.end()) fail("truncated to " + std::to_string(log_->end()));
        return;
    }
    model_.acked = std::min(model_.acked, to);
    model_.written = std::min(model_.written, to);
    sync_failed_ = true;
}

void LogSim::advance_start() {
    const auto left = static_cast<uint64_t>(model_.end() - model_.start + 1);
    const auto to = model_.start + static_cast<base::Offset>(below(left));
    trace_.push_back("start to " + std::to_string(to));
    if (log_->advance_start(to).ok()) {
        model_.start = to;
    } else {
        fail("advance_start");
    }
}

void LogSim::restart() {
    const auto to = static_cast<base::Offset>(below(500));
    trace_.push_back("restart at " + std::to_string(to));
    const auto done = log_->restart_at(to);
    model_ = LogModel{.origin = to, .start = to, .acked = to, .written = to};
    if (done.ok() && (log_->end() != to || log_->start() != to)) fail("restarted elsewhere");
}

void LogSim::retain() {
    const auto limit = model_.boundary(model_.end() - static_cast<base::Offset>(below(10)));
    trace_.push_back("retention below " + std::to_string(limit));
    const auto done = log_->apply_retention(limit, now_);
    const auto start = log_->start();
    if (start < model_.start || start > std::max(limit, model_.start)) {
        return fail("retention moved the start to " + std::to_string(start));
    }
    if (!done.ok() && log_->health().ok()) return fail("retention");
    model_.start = start;
}

void LogSim::full_disk() {
    trace_.push_back("full disk");
    disk_->heal();
    disk_->set_capacity(below(4000));
    const int tries = 1 + static_cast<int>(below(3));
    for (int i = 0; i < tries && log_->health().ok() && failure_.empty(); ++i) append();
    disk_->heal();
    if (!log_->health().ok()) fail("a full disk fenced the log: " + base::message(log_->health()));
}

void LogSim::close() {
    trace_.push_back("close");
    if (sync_ && !sync_outcome_) run_sync();
    finish_sync();
    if (!log_->health().ok()) return;
    const auto done = log_->close(log_->end());
    if (!done.ok()) {
        sync_failed_ = true;
        return;
    }
    model_.acked = model_.written = model_.end();
    crash(chance(50) ? Crash::kill : Crash::power_loss);
}

void LogSim::crash(Crash how) {
    // Should the process die between a failed sync and hearing of it, nobody could tell later.
    if (sync_ && sync_outcome_ && !sync_outcome_->ok()) finish_sync();
    trace_.push_back(how == Crash::kill ? "kill" : "power loss");
    log_.reset();
    sync_.reset();
    if (how == Crash::kill) {
        disk_ = disk_->after_process_crash();
        store_ = store_->after_process_crash();
    } else {
        disk_ = disk_->after_power_loss(random_());
        store_ = store_->after_power_loss(random_());
    }
    const bool all_there = how == Crash::kill && !sync_failed_;
    model_.written = all_there ? model_.written : model_.acked;
    if (chance(20)) disk_->stop_after(below(15));
    open();
}

void LogSim::open() {
    disk_seen_ = see_disk(*disk_, mutant_);
    store_seen_ = see_store(*store_, *disk_, mutant_);
    Log::Place place{"data/topic-0", {{1, 2}, 0}, disk_seen_.get(), store_seen_.get()};
    auto opened = Log::open(place, config_, now_);
    if (!opened.ok()) {
        if (absl::IsUnavailable(opened.status())) {
            sync_failed_ = true;
            return crash(chance(50) ? Crash::kill : Crash::power_loss);
        }
        return fail("open: " + base::message(opened.status()));
    }
    log_ = *std::move(opened);
    disk_->heal();
    accept(model_.written);
}

/// Compares what was recovered with what had to be, and goes on from there.
void LogSim::accept(base::Offset lowest) {
    const auto start = log_->start();
    const auto end = log_->end();
    trace_.push_back("opened " + std::to_string(start) + ".." + std::to_string(end));
    if (start != model_.start) return fail("starts at " + std::to_string(start));
    if (log_->synced() != end) return fail("not synced after recovery");
    if (end < lowest || (end < start)) {
        return fail("ends at " + std::to_string(end) + ", before " + std::to_string(lowest));
    }
    if (start == end) {
        if (!accept_skipped()) return;
    } else {
        if (end > model_.end() || model_.boundary(end) != end) {
            return fail("ends at " + std::to_string(end));
        }
        model_.cut_back(end);
    }
    model_.acked = model_.written = end;
    sync_failed_ = false;
    check_lineage(true);
    if (failure_.empty()) failure_ = read_all();
}

/// The start had been moved past records that were then lost: nothing but the producers is left.
bool LogSim::accept_skipped() {
    const std::string found = log_->producers().serialize();
    bool known = false;
    for (base::Offset at = model_.origin; at <= model_.end() && !known; ++at) {
        if (model_.boundary(at) == at) known = model_.producers(at).serialize() == found;
    }
    if (!known) {
        std::string states;
        for (const auto& [id, state] : log_->producers().states()) {
            states += std::to_string(id.value) + ":" +
                      std::to_string(state.batches.back().last_offset) + " ";
        }
        fail(states + "producers of no prefix of the log " + std::to_string(model_.origin) + ".." +
             std::to_string(model_.end()));
    }
    model_ = model_.emptied();
    model_.before = *Producers::parse(found);
    return known;
}

std::string LogSim::read_all() {
    const auto read = log_->read(log_->start(), log_->end(), 1u << 30, true);
    if (!read.ok()) return "read: " + base::message(read.status());
    base::Offset next = 0;
    const auto expected = model_.expected_read(model_.start, model_.end(), 1u << 30, true, next);
    const auto is = content(*read);
    if (!base::equal(is, expected)) {
        const auto end = is.begin() + static_cast<ptrdiff_t>(std::min(is.size(), expected.size()));
        const auto at = std::mismatch(is.begin(), end, expected.begin()).first - is.begin();
        fail("other bytes than were appended: " + std::to_string(is.size()) + ", not " +
             std::to_string(expected.size()) + ", from " + std::to_string(at));
    }
    if (log_->producers().serialize() != model_.producers(model_.end()).serialize()) {
        fail("other producer state than the log's");
    }
    return failure_;
}

}  // namespace storage
