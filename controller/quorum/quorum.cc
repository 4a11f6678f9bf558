#include "controller/quorum/quorum.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "base/check.h"
#include "controller/quorum/chunks.h"
#include "proto/metadata.pb.h"

namespace quorum {
namespace {

/// Of entries that are replayed at once: others get their turn on the shard in between.
constexpr size_t kReplayBytes = 4 << 20;

raft::Options with_identity(raft::Options options, const LogStore& log) {
    options.self = log.self();
    return options;
}

}  // namespace

Quorum::Quorum(io::Shards& shards, io::Shard& home, LogStore::Opened opened, Options options,
               Events events)
    : shards_(shards),
      home_(home),
      options_(std::move(options)),
      events_(std::move(events)),
      log_(std::move(opened.log)),
      raft_(std::make_unique<raft::Raft>(with_identity(options_.raft, *log_), opened.stored, *log_,
                                         options_.seed)),
      ticked_at_(home_.now()),
      image_(std::move(opened.image)),
      snapshot_bytes_(log_->snapshot_bytes()) {
    CHECK(image_->position().index == opened.stored.applied);
}

void Quorum::start() {
    ticked_at_ = home_.now();
    turn();
}

void Quorum::stop() {
    stopped_ = true;
    timer_.reset();
    for (auto& [context, read] : std::exchange(reads_, {})) read.done(false);
}

/// Wakes the shard only for a tick at which Raft has something to do. One that no longer comes so
/// soon, as a leader was heard, finds that out by itself.
void Quorum::keep_time() {
    const auto at = ticked_at_ + raft_->ticks_until_due() * options_.tick.count();
    if (timer_ && timer_at_ <= at) return;
    timer_at_ = at;
    const auto left = std::max<base::InstantMs>(at - home_.now(), 0);
    timer_ = home_.after(std::chrono::milliseconds(left), [this] {
        timer_.reset();
        catch_up(true);
        turn();
    });
}

/// The ticks that have passed; the one that is due only if `due`.
void Quorum::catch_up(bool due) {
    const auto now = home_.now();
    const int64_t passed = (now - ticked_at_) / options_.tick.count();
    const int64_t until_due = raft_->ticks_until_due();
    // Whoever was held up himself first looks at what came meanwhile, and is in no hurry then.
    const bool held_up = passed > until_due;
    const int64_t most = due && !(held_up && until_due > 1) ? until_due : until_due - 1;
    const int64_t ticks = std::min(passed, most);
    for (int64_t i = 0; i < ticks; ++i) raft_->tick();
    if (!held_up) ticked_at_ += ticks * options_.tick.count();
    // The tick that was due stays owed, however often something else comes first.
    else ticked_at_ = due ? now : now - options_.tick.count();
}

void Quorum::receive(raft::Message message) {
    if (stopped_) return;
    catch_up(false);
    raft_->step(std::move(message));
    turn();
}

void Quorum::gone(const raft::Member& member) {
    if (stopped_) return;
    catch_up(false);
    raft_->gone(member);
    turn();
}

base::Expected<raft::Position, raft::Refusal> Quorum::propose(std::string entry) {
    auto taken = raft_->propose(std::move(entry));
    turn();
    return taken;
}

base::Expected<raft::Position, raft::Refusal> Quorum::change(const raft::Change& change) {
    auto taken = raft_->change(change);
    turn();
    return taken;
}

std::optional<raft::Refusal> Quorum::transfer(const raft::Member& to) {
    auto refusal = raft_->transfer(to);
    turn();
    return refusal;
}

void Quorum::read(base::Function<void(bool)> done) {
    const uint64_t context = next_read_++;
    if (stopped_ || raft_->read(context)) return done(false);
    reads_.emplace(context, Read{{}, std::move(done)});
    turn();
}

void Quorum::turn() {
    // What an event causes is carried out by the turn that told it.
    again_ = true;
    if (std::exchange(turning_, true)) return;
    while (std::exchange(again_, false) && !stopped_) carry_out();
    turning_ = false;
    if (!stopped_) keep_time();
}

void Quorum::carry_out() {
    if (!raft_->failure().ok()) return fail(raft_->failure());
    if (raft_->configuration() != configuration_) {
        configuration_ = raft_->configuration();
        events_.on_configuration(configuration_);
    }
    for (auto& message : raft_->take_messages()) events_.send(std::move(message));
    begin_write();
    apply();
    answer_reads();
    tell_standing();
}

void Quorum::begin_write() {
    auto write = raft_->take_write();
    if (!write) return;
    metadata::ImagePtr snapshot;
    if (write->compact) {
        CHECK(to_compact_ && to_compact_->position().index == write->compact->position.index);
        snapshot = to_compact_;
    }
    shards_.block([self = shared_from_this(), write = std::move(*write),
                   snapshot = std::move(snapshot)]() mutable {
        std::vector<std::string> chunks;
        if (snapshot) chunks = chunks_of(*snapshot);
        base::Status status = self->log_->write(write, chunks);
        metadata::ImagePtr installed;
        if (status.ok() && write.install) {
            auto image = self->log_->snapshot_image();
            status = image.status();
            if (image.ok()) installed = *std::move(image);
        }
        const size_t snapshot_bytes = self->log_->snapshot_bytes();
        io::Shard& home = self->home_;
        home.post([self = std::move(self), write = std::move(write), status = std::move(status),
                   installed = std::move(installed), snapshot_bytes]() mutable {
            self->snapshot_bytes_ = snapshot_bytes;
            self->written(std::move(write), status, std::move(installed));
        });
    });
}

void Quorum::written(raft::Write write, const base::Status& status, metadata::ImagePtr installed) {
    if (stopped_) return;
    if (!status.ok()) return fail(status);
    if (write.compact) to_compact_.reset();
    if (installed) install(std::move(installed));
    raft_->written();
    for (auto& promise : write.then_send) events_.send(std::move(promise));
    turn();
}

void Quorum::install(metadata::ImagePtr image) {
    image_ = std::move(image);
    bytes_since_snapshot_ = 0;
    midway_.reset();
    to_compact_.reset();
    events_.on_applied({image_, nullptr, {}});
}

void Quorum::apply() {
    const auto entries = raft_->to_apply(image_->position().index, kReplayBytes);
    if (entries.empty()) return;
    if (auto status = replay(entries); !status.ok()) return fail(std::move(status));
    compact_if_due();
    again_ = true;  // there may be more
}

base::Status Quorum::replay(const std::vector<raft::Entry>& entries) {
    auto delta = std::make_shared<metadata::Delta>(image_);
    Applied applied;
    raft::Index index = image_->position().index;
    raft::Term term = image_->position().term;
    for (const auto& entry : entries) {
        ++index;
        term = entry.term;
        applied.positions.push_back({index, term});
        bytes_since_snapshot_ += entry.bytes();
        if (entry.kind != raft::EntryKind::data) continue;
        metadata::v1::Entry parsed;
        if (entry.data.size() > INT_MAX ||
            !parsed.ParseFromArray(entry.data.data(), static_cast<int>(entry.data.size())))
            return base::data_loss("entry " + std::to_string(index) +
                                   " of the metadata log can't be read");
        for (const auto& record : parsed.records())
            if (const auto status = delta->replay(record); !status.ok())
                return base::Status(status.code(),
                                    "entry " + std::to_string(index) +
                                        " of the metadata log: " + base::message(status));
    }
    image_ = delta->apply({index, term});
    applied.image = image_;
    applied.delta = std::move(delta);
    events_.on_applied(applied);
    return base::ok();
}

void Quorum::compact_if_due() {
    const size_t due = std::max(options_.snapshot_bytes, snapshot_bytes_);
    if (to_compact_) return;
    if (!midway_ && bytes_since_snapshot_ > due / 2) midway_ = {image_, bytes_since_snapshot_};
    if (bytes_since_snapshot_ <= due) return;
    if (raft_->snapshot_in_use() && bytes_since_snapshot_ <= 4 * due) return;
    to_compact_ = std::move(midway_->image);
    bytes_since_snapshot_ -= midway_->bytes;
    midway_.reset();
    raft_->compact(to_compact_->position().index);
}

void Quorum::answer_reads() {
    for (const auto& result : raft_->take_reads()) {
        const auto read = reads_.find(result.context);
        if (read == reads_.end()) continue;
        if (result.index) {
            read->second.index = result.index;
        } else {
            auto done = std::move(read->second.done);
            reads_.erase(read);
            done(false);
        }
    }
    // Contexts count up, and so do the indexes that rounds confirm.
    while (!reads_.empty()) {
        const auto first = reads_.begin();
        if (!first->second.index || *first->second.index > image_->position().index) return;
        auto done = std::move(first->second.done);
        reads_.erase(first);
        done(true);
    }
}

void Quorum::tell_standing() {
    Standing now{raft_->term(), raft_->leader(),
                 raft_->leads() && image_->position().term == raft_->term()};
    if (now == standing_) return;
    standing_ = std::move(now);
    events_.on_standing(standing_);
}

void Quorum::fail(base::Status why) {
    if (std::exchange(failed_, true)) return;
    raft_->halt(why);
    for (auto& [context, read] : std::exchange(reads_, {})) read.done(false);
    // First, so that what was proposed is not taken for refused.
    events_.on_failure(why);
    standing_.active = false;
    standing_.leader.reset();
    events_.on_standing(standing_);
}

}  // namespace quorum
