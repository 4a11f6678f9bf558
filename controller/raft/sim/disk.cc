#include "controller/raft/sim/disk.h"

#include <functional>

namespace raft::sim {

uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t z = a * 0x9e3779b97f4a7c15 + b + 0x7f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    return z ^ (z >> 31);
}

uint64_t hash_of(const Entry& e) {
    uint64_t h = mix(static_cast<uint64_t>(e.term), static_cast<uint64_t>(e.kind));
    for (const char c : e.data) h = mix(h, static_cast<unsigned char>(c));
    return h;
}

void State::apply(const Entry& e) {
    ++applied;
    hash = mix(hash, hash_of(e));
}

Disk::Disk(Member self, Configuration founding, int parts) : self_(self), parts_(parts) {
    snapshot_.configuration = std::move(founding);
}

base::Result<std::vector<Entry>> Disk::entries(Index from, Index end, size_t most_bytes) const {
    if (unreadable) return base::data_loss("a wrong checksum");
    if (from < first() || from > last()) return base::data_loss("the entry is missing");
    std::vector<Entry> out;
    size_t bytes = 0;
    for (Index i = from; i < end && i <= last() && (out.empty() || bytes < most_bytes); ++i) {
        out.push_back(*entry(i));
        bytes += out.back().bytes();
    }
    return out;
}

base::Result<Storage::Chunk> Disk::snapshot_chunk(Index snapshot, uint32_t number) const {
    if (unreadable) return base::data_loss("a wrong checksum");
    if (snapshot != snapshot_.position.index || number >= snapshot_parts_.size())
        return base::not_found("no such part");
    return snapshot_parts_[number];
}

std::vector<Storage::Chunk> Disk::parts_of(const State& state) const {
    const auto text = std::to_string(state.applied) + " " + std::to_string(state.hash);
    std::vector<Chunk> out;
    const size_t size = text.size() / static_cast<size_t>(parts_) + 1;
    for (size_t at = 0; at < text.size(); at += size)
        out.push_back({text.substr(at, size), at + size >= text.size()});
    return out;
}

std::optional<std::string> Disk::install(const SnapshotInfo& snapshot) {
    std::string text;
    for (size_t i = 0; i < received_.size(); ++i) {
        if (received_[i].number != i || received_[i].snapshot != snapshot)
            return "14: the parts of an installed snapshot don't belong together";
        text += received_[i].bytes;
    }
    received_.clear();
    State state;
    char* rest = nullptr;
    state.applied = std::strtoll(text.c_str(), &rest, 10);
    state.hash = std::strtoull(rest, nullptr, 10);
    if (state.applied != snapshot.position.index) return "14: an installed snapshot is incomplete";
    if (state.applied < state_.applied) return "14: a snapshot takes the state back";
    state_ = state;
    snapshot_ = snapshot;
    snapshot_parts_ = parts_of(state);
    entries_.clear();
    return std::nullopt;
}

std::optional<std::string> Disk::write(const Write& w, const State& compacted) {
    if (w.state.term < hard_.term) return "3: the term on disk falls";
    if (w.state.term == hard_.term && hard_.vote && w.state.vote != hard_.vote)
        return "2: the vote on disk changes within a term";
    hard_ = w.state;
    if (w.discard_received) received_.clear();
    for (const auto& chunk : w.received) {
        if (chunk.number == 0) received_.clear();
        received_.push_back(chunk);
    }
    if (w.install)
        if (auto what = install(*w.install)) return what;
    if (w.compact) {
        const auto index = w.compact->position.index;
        if (index <= snapshot_.position.index || index > last() || compacted.applied != index)
            return "14: a snapshot of what is not there";
        if (state_.applied < index) state_ = compacted;
        entries_.erase(entries_.begin(), entries_.begin() + (index - first() + 1));
        snapshot_ = *w.compact;
        snapshot_parts_ = parts_of(compacted);
    }
    if (w.from > 0) {
        if (w.from < first() || w.from > last() + 1) return "10: a write leaves a gap in the log";
        entries_.resize(static_cast<size_t>(w.from - first()));
        entries_.insert(entries_.end(), w.entries.begin(), w.entries.end());
    }
    return std::nullopt;
}

Configuration Disk::configuration() const {
    for (auto e = entries_.rbegin(); e != entries_.rend(); ++e)
        if (e->kind == EntryKind::configuration) return *Configuration::decode(e->data);
    return snapshot_.configuration;
}

}  // namespace raft::sim
