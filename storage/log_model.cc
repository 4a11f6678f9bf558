#include <algorithm>

#include "storage/log_sim.h"

namespace storage {

base::Offset LogModel::boundary(base::Offset offset) const {
    base::Offset at = origin;
    for (const auto& b : batches) {
        if (b.next > offset) break;
        at = b.next;
    }
    return at;
}

void LogModel::cut_back(base::Offset to) {
    while (!batches.empty() && batches.back().next > to) batches.pop_back();
    acked = std::min(acked, end());
    written = std::min(written, end());
}

LogModel LogModel::emptied() const {
    return {.origin = start,
            .before = producers(end()),
            .start = start,
            .acked = start,
            .written = start};
}

Producers LogModel::producers(base::Offset to) const {
    Producers out = before;
    for (const auto& b : batches) {
        if (b.next <= to) record_producer(out, kafka::BatchView(b.bytes), -1);
    }
    return out;
}

Lineage LogModel::lineage() const {
    Lineage out;
    for (const auto& b : batches) out.assign(kafka::BatchView(b.bytes).leader_epoch(), b.first);
    out.cut_front(start);
    out.cut_back(end());
    return out;
}

base::Bytes LogModel::expected_read(base::Offset from, base::Offset limit, uint32_t most,
                                    bool at_least_one, base::Offset& next) const {
    base::Bytes out;
    next = from;
    limit = std::min(limit, end());
    if (from >= limit) return out;
    for (const auto& b : batches) {
        if (b.next <= from) continue;
        const bool fits = out.size() + b.bytes.size() <= most || (out.empty() && at_least_one);
        if (b.next > limit || !fits) break;
        out.insert(out.end(), b.bytes.begin(), b.bytes.end());
        next = b.next;
    }
    return out;
}

std::optional<LogModel::Record> LogModel::find(std::optional<base::TimestampMs> target,
                                               base::Offset limit) const {
    std::optional<Record> found;
    for (const auto& b : batches) {
        for (const auto& r : b.records) {
            if (r.offset < start || r.offset >= limit) continue;
            if (target && r.timestamp >= *target) return r;
            if (!target && r.timestamp >= 0 && (!found || r.timestamp > found->timestamp)) {
                found = r;
            }
        }
    }
    return found;
}

}  // namespace storage
