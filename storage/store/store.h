#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace storage {

/// Puts and deletes that take effect together.
class WriteBatch {
  public:
    void put(std::string key, std::string value) { rows_.emplace_back(std::move(key), std::move(value)); }
    void remove(std::string key) { rows_.emplace_back(std::move(key), std::nullopt); }
    const std::vector<std::pair<std::string, std::optional<std::string>>>& rows() const { return rows_; }
    bool empty() const { return rows_.empty(); }

  private:
    std::vector<std::pair<std::string, std::optional<std::string>>> rows_;
};

/// A small ordered key-value store for what must be atomic: checkpoints, the metadata log, votes.
/// RocksDB on a real disk (rocks_store.h); in memory for simulation (memory_store.h), where a crash
/// drops the batches that were not synced. Callable from any thread.
class Store {
  public:
    enum class Durability : uint8_t { buffered, synced };

    virtual ~Store() = default;
    /// All rows or none, also across a crash. `synced` returns once it survives power loss, and
    /// with it every batch before; so does an empty one. An error means that the store must not be used further.
    virtual base::Status write(const WriteBatch&, Durability) = 0;
    virtual base::Result<std::optional<std::string>> get(std::string_view key) const = 0;
    /// Calls `row` for each key with the prefix, in byte order, until it returns false.
    virtual base::Status scan(std::string_view prefix,
                              const std::function<bool(std::string_view key, std::string_view value)>& row) const = 0;
};

}  // namespace storage
