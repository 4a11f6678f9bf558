#include "storage/retention.h"

#include <algorithm>

namespace storage {

namespace {

template <class Unwanted>
size_t leading(std::span<const SegmentFacts> segments, base::Offset limit, Unwanted unwanted) {
    size_t count = 0;
    for (const auto& s : segments) {
        const bool last = count + 1 == segments.size();
        if (s.end > limit || (last && s.bytes == 0) || !unwanted(s, last)) break;
        ++count;
    }
    return count;
}

}  // namespace

Retention decide_retention(std::span<const SegmentFacts> segments, base::Offset start,
                           base::Offset limit, const LogConfig& config, base::TimestampMs now) {
    size_t remove = leading(
        segments, limit, [&](const SegmentFacts& s, bool last) { return !last && s.end <= start; });
    if (config.cleanup_delete && config.retention_bytes >= 0) {
        uint64_t total = 0;
        for (const auto& s : segments) total += s.bytes;
        const auto wanted = static_cast<uint64_t>(config.retention_bytes);
        uint64_t excess = total > wanted ? total - wanted : 0;
        remove = std::max(remove, leading(segments, limit, [&](const SegmentFacts& s, bool) {
                              if (excess < s.bytes || excess == 0) return false;
                              excess -= s.bytes;
                              return true;
                          }));
    }
    if (config.cleanup_delete && config.retention_ms >= 0) {
        remove = std::max(remove, leading(segments, limit, [&](const SegmentFacts& s, bool) {
                              return now - s.newest > config.retention_ms;
                          }));
    }
    return {remove, remove > 0 && remove == segments.size()};
}

}  // namespace storage
