#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/store/store.h"

namespace storage {

/// A Store in memory for tests and simulation. A crash leaves this one as it is and returns what
/// the next start would find, the same for the same seed.
class MemoryStore : public Store {
  public:
    base::Status write(const WriteBatch&, Durability) override;
    base::Result<std::optional<std::string>> get(std::string_view key) const override;
    base::Status scan(std::string_view prefix,
                      const std::function<bool(std::string_view key, std::string_view value)>& row)
        const override;

    /// Every batch up to the last synced one, and of those after it as many as `seed` says, from
    /// the first on.
    std::unique_ptr<MemoryStore> after_power_loss(uint64_t seed) const;
    /// Every batch; what was not synced still is not.
    std::unique_ptr<MemoryStore> after_process_crash() const;

    /// Makes the `nth` write from now (1: the next) fail with kUnavailable, and everything after
    /// it. The failed batch may be there after a crash, like any batch that was not synced.
    void fail_write(uint64_t nth = 1);
    /// Batches written so far.
    uint64_t writes() const;

  private:
    using Rows = std::map<std::string, std::string, std::less<>>;
    static void apply(const WriteBatch&, Rows&);
    base::Status usable() const;

    mutable std::mutex mutex_;
    Rows now_;
    Rows durable_;
    std::vector<WriteBatch> unsynced_;
    uint64_t writes_ = 0;
    uint64_t fails_at_ = 0;  // the count of writes that fails; 0: none
    bool failed_ = false;
};

}  // namespace storage
