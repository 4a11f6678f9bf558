#include "tests/replication/sim/log.h"

#include <algorithm>

namespace replica::sim {

EpochEnd Log::end_of_epoch(LeaderEpoch epoch) const {
    const auto known = lineage_.end_of(epoch, end());
    return {known.epoch, known.end};
}

std::vector<Record> Log::read(Offset from, size_t most) const {
    const auto first = records_.begin() + (from - start_);
    const auto last =
        records_.begin() + ((rot_ && from < rot_->until ? rot_->from : end()) - start_);
    const auto count = std::min<size_t>(most, static_cast<size_t>(last - first));
    return {first, first + static_cast<ptrdiff_t>(count)};
}

void Log::append(const Record& record) {
    lineage_.assign(record.epoch, end());
    records_.push_back(record);
    ++appends_;
}

/// Where it was cut or deleted.
void Log::forget_rot() {
    if (!rot_) return;
    rot_ = {std::max(rot_->from, start()), std::min(rot_->until, end())};
    if (rot_->from >= rot_->until) rot_.reset();
}

void Log::truncate_to(Offset to) {
    lineage_.cut_back(to);
    if (to >= end()) return;
    records_.resize(static_cast<size_t>(to - start_));
    synced_ = durable_ = end();
    ++cuts_;
    forget_rot();
}

void Log::restart_at(Offset at) {
    records_.clear();
    deleted_.clear();
    lineage_.clear();
    start_ = synced_ = durable_ = at;
    ++cuts_;
    rot_.reset();
}

void Log::advance_start(Offset to) {
    if (to <= start_) return;
    for (Offset o = start_; o < to; ++o) deleted_[at(o).producer] = at(o).sequence;
    records_.erase(records_.begin(), records_.begin() + (to - start_));
    lineage_.cut_front(to);
    start_ = to;
    synced_ = std::max(synced_, start_);
    durable_ = std::max(durable_, start_);
    forget_rot();
}

void Log::finish(const Sync& sync) {
    if (sync.cuts != cuts_) return;  // of what was cut since it says nothing
    synced_ = std::max(synced_, sync.end);
    durable_ = std::max(durable_, synced_);
}

void Log::crash(Offset survives, Offset known) {
    records_.resize(static_cast<size_t>(std::clamp(survives, durable_, end()) - start_));
    lineage_.cut_back(end());
    synced_ = std::clamp(known, start_, durable_);
    failed_ = false;
    ++cuts_;
}

void Log::close() {
    synced_ = durable_ = end();
    ++cuts_;
}

std::optional<Log::Last> Log::last_of(uint64_t producer) const {
    for (Offset o = end() - 1; o >= start_; --o)
        if (at(o).producer == producer) return Last{at(o).sequence, o};
    const auto found = deleted_.find(producer);
    if (found == deleted_.end()) return std::nullopt;
    return Last{found->second, -1};
}

}  // namespace replica::sim
