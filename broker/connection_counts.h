#pragma once
#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace broker {

/// Counts connections against the limits on all (max.connections) and on those of one address
/// (max.connections.per.ip). Pure; of one owner.
class ConnectionCounts {
  public:
    ConnectionCounts(size_t most, size_t most_per_address)
        : most_(most), most_per_address_(most_per_address) {}

    bool admit(const std::string& address) {
        if (all_ >= most_) return false;
        size_t& here = by_address_[address];
        if (here >= most_per_address_) return false;
        ++here;
        ++all_;
        return true;
    }
    void release(const std::string& address) {
        const auto found = by_address_.find(address);
        if (found == by_address_.end()) return;
        --all_;
        if (--found->second == 0) by_address_.erase(found);
    }
    size_t all() const { return all_; }

  private:
    const size_t most_;
    const size_t most_per_address_;
    size_t all_ = 0;
    absl::flat_hash_map<std::string, size_t> by_address_;
};

}  // namespace broker
