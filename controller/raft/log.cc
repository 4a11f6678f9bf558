#include "controller/raft/log.h"

#include <algorithm>

#include "base/check.h"

namespace raft {

Log::Log(const Storage& storage, SnapshotInfo snapshot, size_t most_bytes_in_memory)
    : storage_(storage), most_bytes_in_memory_(most_bytes_in_memory), last_(0) {
    reset(snapshot);
}

base::Status Log::load(Index last, Index committed) {
    constexpr size_t piece = 1 << 20;
    CHECK(last >= last_) << "the log ends before its snapshot";
    while (last_ < last) {
        ASSIGN_OR_RETURN(auto read, storage_.entries(last_ + 1, last + 1, piece));
        if (read.empty()) return base::data_loss("the log ends early");
        for (auto& entry : read) {
            if (entry.term < terms_.back().term) return base::data_loss("the log's terms fall");
            if (entry.kind == EntryKind::configuration && !Configuration::decode(entry.data))
                return base::data_loss("a configuration in the log can't be read");
            append(std::move(entry));
        }
        evict(committed);
    }
    return base::ok();
}

std::optional<Term> Log::term_at(Index index) const {
    if (index < snapshot_.index || index > last_) return std::nullopt;
    const auto after = std::ranges::upper_bound(terms_, index, {}, &Run::first);
    return std::prev(after)->term;
}

Position Log::newest_of_term(Index index, Term term) const {
    index = std::min(index, last_);
    if (index <= snapshot_.index) return snapshot_;
    auto run = std::prev(std::ranges::upper_bound(terms_, index, {}, &Run::first));
    while (run != terms_.begin() && run->term > term) {
        index = run->first - 1;
        --run;
    }
    return {std::max(index, snapshot_.index), run->term};
}

base::Result<std::vector<Entry>> Log::entries(Index from, Index end, size_t most_entries,
                                              size_t most_bytes) const {
    CHECK(from >= first()) << from << " is before the log's first, " << first();
    end = std::min(end, last_ + 1);
    if (from >= end) return std::vector<Entry>{};
    if (static_cast<size_t>(end - from) > most_entries)
        end = from + static_cast<Index>(most_entries);
    if (from < tail_first()) return storage_.entries(from, std::min(end, tail_first()), most_bytes);
    std::vector<Entry> out;
    size_t bytes = 0;
    for (Index i = from; i < end && (out.empty() || bytes < most_bytes); ++i) {
        out.push_back(in_memory(i));
        bytes += out.back().bytes();
    }
    return out;
}

size_t Log::bytes(Index from, Index end) const {
    size_t sum = 0;
    for (Index i = std::max(from, tail_first()); i < std::min(end, last_ + 1); ++i)
        sum += in_memory(i).bytes();
    return sum;
}

void Log::append(Entry entry) {
    CHECK(entry.term >= terms_.back().term) << "the log's terms fall";
    ++last_;
    if (entry.term > terms_.back().term) terms_.push_back({last_, entry.term});
    if (entry.kind == EntryKind::configuration) {
        auto configuration = Configuration::decode(entry.data);
        CHECK(configuration.has_value()) << "a configuration that can't be read";
        configurations_.push_back({last_, *std::move(configuration)});
    }
    tail_bytes_ += entry.bytes();
    tail_.push_back(std::move(entry));
}

void Log::truncate(Index from) {
    CHECK(from >= tail_first()) << "what is not in memory is committed";
    while (last_ >= from) {
        tail_bytes_ -= tail_.back().bytes();
        tail_.pop_back();
        --last_;
    }
    while (terms_.size() > 1 && terms_.back().first > last_) terms_.pop_back();
    while (configurations_.size() > 1 && configurations_.back().index > last_)
        configurations_.pop_back();
}

SnapshotInfo Log::compact(Index index) {
    CHECK(index > snapshot_.index && index <= last_) << "there is nothing to compact at " << index;
    snapshot_ = {index, *term_at(index)};
    while (!tail_.empty() && tail_first() <= index) {
        tail_bytes_ -= tail_.front().bytes();
        tail_.pop_front();
    }
    while (terms_.size() > 1 && terms_[1].first <= index) terms_.pop_front();
    const auto after = std::ranges::upper_bound(configurations_, index, {}, &InForce::index);
    configurations_.erase(configurations_.begin(), std::prev(after));
    return {snapshot_, configurations_.front().configuration};
}

bool Log::may_vote(const Member& m, Index committed) const {
    for (auto c = configurations_.rbegin(); c != configurations_.rend(); ++c) {
        if (c->configuration.has_voter(m)) return true;
        if (c->index <= committed) return false;
    }
    return false;
}

void Log::reset(const SnapshotInfo& snapshot) {
    snapshot_ = snapshot.position;
    last_ = snapshot_.index;
    tail_.clear();
    tail_bytes_ = 0;
    terms_.assign({Run{snapshot_.index, snapshot_.term}});
    configurations_.assign({InForce{snapshot_.index, snapshot.configuration}});
}

void Log::evict(Index index) {
    while (tail_bytes_ > most_bytes_in_memory_ && !tail_.empty() && tail_first() <= index) {
        tail_bytes_ -= tail_.front().bytes();
        tail_.pop_front();
    }
}

}  // namespace raft
