#include <algorithm>

#include "kafka/records/builder.h"
#include "storage/checkpoint.h"
#include "storage/log_sim.h"
#include "storage/segment.h"

namespace storage {

base::Bytes content(const LogRead& read) {
    base::Bytes out;
    for (const auto& slice : read.slices) {
        base::Bytes part(slice.size);
        const auto count = slice.file->read_at(slice.position, part);
        if (!count.ok() || *count != slice.size) return {};
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

void LogSim::check() {
    if (log_->start() != model_.start) return fail("start " + std::to_string(log_->start()));
    if (log_->end() != model_.end()) return fail("end " + std::to_string(log_->end()));
    if (log_->synced() < log_->start() || log_->synced() > log_->end()) return fail("synced");
    if (log_->producers().serialize() != model_.producers(model_.end()).serialize()) {
        return fail("producer state");
    }
    check_lineage(false);
    check_reads();
    check_timestamps();
}

/// An epoch that began and wrote nothing yet is in no batch: only a live log knows it.
void LogSim::check_lineage(bool reopened) {
    const Lineage expected = model_.lineage();
    if (reopened && log_->last_epoch() != expected.last_epoch()) {
        return fail("last epoch " + std::to_string(log_->last_epoch()));
    }
    for (base::LeaderEpoch e = 0; e < expected.last_epoch(); ++e) {
        const auto is = log_->end_of_epoch(e);
        const auto should = expected.end_of(e, model_.end());
        if (is.epoch != should.epoch || is.end != should.end) {
            return fail("end of epoch " + std::to_string(e) + " is " + std::to_string(is.end) +
                        ", not " + std::to_string(should.end));
        }
    }
}

void LogSim::check_reads() {
    const auto length = static_cast<uint64_t>(model_.end() - model_.start);
    for (int i = 0; i < 3; ++i) {
        const auto from = model_.start + static_cast<base::Offset>(below(length + 1));
        const auto limit =
            chance(50) ? model_.end() : from + static_cast<base::Offset>(below(length + 1));
        const auto most = static_cast<uint32_t>(below(6000));
        const bool at_least_one = chance(50);
        const auto read = log_->read(from, limit, most, at_least_one);
        if (absl::IsUnavailable(read.status())) return;  // an ordered fault
        if (!read.ok()) return fail("read: " + base::message(read.status()));
        base::Offset next = 0;
        const auto expected = model_.expected_read(from, limit, most, at_least_one, next);
        if (!base::equal(content(*read), expected) || read->next != next ||
            read->bytes != expected.size()) {
            return fail("read from " + std::to_string(from) + " below " + std::to_string(limit) +
                        " of " + std::to_string(most) + " bytes: " + std::to_string(read->bytes) +
                        " to " + std::to_string(read->next) + ", not " +
                        std::to_string(expected.size()) + " to " + std::to_string(next));
        }
    }
}

void LogSim::check_timestamps() {
    for (int i = 0; i < 3; ++i) {
        const auto target = now_ - static_cast<base::TimestampMs>(below(1500));
        const auto limit =
            chance(50) ? model_.end() : model_.end() - static_cast<base::Offset>(below(20));
        const bool newest = chance(30);
        const auto is = newest ? log_->max_timestamp(limit) : log_->find_timestamp(target, limit);
        const auto should = model_.find(newest ? std::nullopt : std::optional(target), limit);
        if (absl::IsUnavailable(is.status())) return;  // an ordered fault
        if (!is.ok()) return fail("timestamp: " + base::message(is.status()));
        const bool same =
            is->has_value() == should.has_value() &&
            (!should || ((*is)->offset == should->offset && (*is)->timestamp == should->timestamp));
        if (!same) {
            return fail("timestamp " + (newest ? "max" : std::to_string(target)) + " is at " +
                        std::to_string(*is ? (*is)->offset : -1) + ", not " +
                        std::to_string(should ? should->offset : -1));
        }
    }
}

/// A bit flips below the recovery point: either the log refuses to open, or what it gives is what
/// was appended but for the one batch. It is never any shorter.
void LogSim::flip_bit() {
    disk_->heal();
    if (!log_->checkpoint(log_->end()).ok()) return fail("checkpoint");
    const auto recovery_point = log_->synced();
    const auto& batches = model_.batches;
    size_t below_it = 0;
    while (below_it < batches.size() && batches[below_it].next <= recovery_point) ++below_it;
    if (below_it == 0 || batches[below_it - 1].next <= model_.start) return;
    const auto& victim = batches[below_it - 1];

    base::Offset segment = -1;
    const auto names = disk_->list("data/topic-0");
    for (const auto& name : *names) {
        const auto base = parse_segment_name(name);
        if (base && *base <= victim.first) segment = std::max(segment, *base);
    }
    if (segment < model_.origin) return;  // what else is in that file, the model does not know
    uint64_t at = 0;
    for (const auto& b : batches) {
        if (b.first >= segment && b.first < victim.first) at += b.bytes.size();
    }
    trace_.push_back("flip a bit of offset " + std::to_string(victim.first));
    const auto lowest = model_.acked;
    log_.reset();
    disk_ = disk_->after_process_crash();
    store_ = store_->after_process_crash();
    disk_->flip_bit("data/topic-0/" + segment_name(segment), at + below(victim.bytes.size()),
                    static_cast<unsigned>(below(8)));
    over_ = true;
    const Log::Place place{"data/topic-0", {{1, 2}, 0}, disk_.get(), store_.get()};
    auto opened = Log::open(place, config_, now_);
    if (!opened.ok()) {
        if (!absl::IsDataLoss(opened.status())) fail(base::message(opened.status()));
        return;
    }
    if ((*opened)->end() < lowest || (*opened)->start() != model_.start) {
        return fail("damage below the recovery point cut the log to " +
                    std::to_string((*opened)->end()));
    }
    for (const auto& b : batches) {
        if (b.next <= model_.start || b.next > (*opened)->end()) continue;
        const auto from = std::max(b.first, model_.start);
        const auto read = (*opened)->read(from, b.next, 1, true);
        const bool harmed = &b == &victim;
        if (!read.ok() && !absl::IsDataLoss(read.status())) fail(base::message(read.status()));
        if (!read.ok() || harmed) continue;
        // What a client can tell by the checksum may reach it.
        const auto is = content(*read);
        base::View rest = is;
        const auto got = kafka::take_batch(rest);
        if (!base::equal(is, b.bytes) && got && got->crc_ok()) {
            fail("offset " + std::to_string(b.first) + " reads otherwise");
        }
    }
}

}  // namespace storage
