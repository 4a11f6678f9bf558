#pragma once
#include <cstdint>
#include <vector>

namespace bench {

/// Counts of values in buckets that grow with the value: each power of two has 128 of them, so a
/// percentile is right within 0.8 %. Holds 0 to 2^40; larger values count as the largest.
class Histogram {
  public:
    Histogram();

    void add(uint64_t value);
    void add(const Histogram& other);
    uint64_t count() const { return count_; }
    uint64_t max() const { return max_; }
    /// The value that `percent` of all are at or below (the upper edge of its bucket); 0 if empty.
    uint64_t percentile(double percent) const;

  private:
    std::vector<uint64_t> buckets_;
    uint64_t count_ = 0;
    uint64_t max_ = 0;
};

}  // namespace bench
