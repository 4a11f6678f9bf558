#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace cli::local {

/// Two brokers that are kept from reaching each other.
struct Cut {
    int32_t a = 0;  // the lower id
    int32_t b = 0;

    static Cut between(int32_t one, int32_t other);
    bool of(int32_t id) const { return a == id || b == id; }
    int32_t other(int32_t id) const { return a == id ? b : a; }
    auto operator<=>(const Cut&) const = default;
};

/// What DIR/faults says: the pairs that `moldau local cut` has cut, as `A B` on a line, in order.
/// Every broker of the cluster has the file as its local.faults.file, and reads it as it changes.
class Faults {
  public:
    explicit Faults(const std::string& cluster_path) : path_(cluster_path + "/faults") {}

    const std::string& path() const { return path_; }
    /// Lines that are no pair are left out: people may have edited the file.
    std::vector<Cut> read() const;
    /// Whether that changed anything.
    base::Result<bool> cut(Cut which) const;
    base::Result<bool> heal(Cut which) const;
    base::Status heal_all() const;

  private:
    base::Status write(const std::vector<Cut>& cuts) const;

    std::string path_;
};

}  // namespace cli::local
