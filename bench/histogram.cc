#include "bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {
namespace {

constexpr uint32_t fraction_bits = 7;  // 128 buckets a power of two
constexpr uint32_t value_bits = 40;
constexpr uint64_t value_max = (uint64_t{1} << value_bits) - 1;

/// Values below 256 have buckets of their own; above, the top eight bits choose.
size_t bucket_of(uint64_t value) {
    const auto width = static_cast<uint32_t>(std::bit_width(value));
    if (width <= fraction_bits + 1) return value;
    const uint32_t shift = width - fraction_bits - 1;
    return (uint64_t{shift} << fraction_bits) + (value >> shift);
}

uint64_t upper_edge(size_t bucket) {
    if (bucket < (size_t{2} << fraction_bits)) return bucket;
    const uint64_t shift = (bucket >> fraction_bits) - 1;
    const uint64_t top = bucket - (shift << fraction_bits);
    return ((top + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(bucket_of(value_max) + 1) {}

void Histogram::add(uint64_t value) {
    ++buckets_[bucket_of(std::min(value, value_max))];
    ++count_;
    max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) {
    for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

uint64_t Histogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<uint64_t>(
        std::max(1.0, std::ceil(percent / 100 * static_cast<double>(count_))));
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank) return std::min(upper_edge(i), max_);
    }
    return max_;
}

}  // namespace bench
