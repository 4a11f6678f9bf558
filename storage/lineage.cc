#include "storage/lineage.h"

#include <algorithm>

namespace storage {

void Lineage::assign(base::LeaderEpoch epoch, base::Offset start) {
    if (epoch <= last_epoch()) return;
    cut_back(start);
    entries_.push_back({epoch, start});
}

void Lineage::cut_back(base::Offset end) {
    while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
}

void Lineage::cut_front(base::Offset start) {
    const auto above = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& e) { return e.start > start; });
    if (above == entries_.begin()) return;
    const auto holder = above - 1;
    holder->start = start;
    entries_.erase(entries_.begin(), holder);
}

EpochEnd Lineage::end_of(base::LeaderEpoch epoch, base::Offset log_end) const {
    if (entries_.empty() || epoch < 0 || epoch > entries_.back().epoch) return {};
    const auto above = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& e) { return e.epoch > epoch; });
    if (above == entries_.end()) return {epoch, log_end};
    if (above == entries_.begin()) return {epoch, above->start};
    return {(above - 1)->epoch, above->start};
}

bool Lineage::valid(const std::vector<Entry>& entries) {
    for (size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].epoch < 0 || entries[i].start < 0) return false;
        if (i > 0 && entries[i].epoch <= entries[i - 1].epoch) return false;
        if (i > 0 && entries[i].start <= entries[i - 1].start) return false;
    }
    return true;
}

}  // namespace storage
