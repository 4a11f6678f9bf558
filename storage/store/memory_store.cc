#include "storage/store/memory_store.h"

#include <random>

#include "base/check.h"

namespace storage {

void MemoryStore::apply(const WriteBatch& batch, Rows& rows) {
    for (const auto& [key, value] : batch.rows()) {
        if (value) rows[key] = *value;
        else rows.erase(key);
    }
}

base::Status MemoryStore::usable() const {
    return failed_ ? base::unavailable("the store failed before") : base::ok();
}

base::Status MemoryStore::write(const WriteBatch& batch, Durability durability) {
    std::lock_guard lock(mutex_);
    RETURN_IF_ERROR(usable());
    unsynced_.push_back(batch);
    if (++writes_ == fails_at_) {
        failed_ = true;
        return base::unavailable("write: input/output error");
    }
    apply(batch, now_);
    if (durability == Durability::synced) {
        for (const WriteBatch& unsynced : unsynced_) apply(unsynced, durable_);
        unsynced_.clear();
    }
    return base::ok();
}

base::Result<std::optional<std::string>> MemoryStore::get(std::string_view key) const {
    std::lock_guard lock(mutex_);
    RETURN_IF_ERROR(usable());
    auto row = now_.find(key);
    if (row == now_.end()) return std::optional<std::string>();
    return std::optional(row->second);
}

base::Status MemoryStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
    Rows rows;  // a copy, so that `row` may call the store
    {
        std::lock_guard lock(mutex_);
        RETURN_IF_ERROR(usable());
        for (auto at = now_.lower_bound(prefix); at != now_.end() && at->first.starts_with(prefix);
             ++at)
            rows.insert(*at);
    }
    for (const auto& [key, value] : rows) {
        if (!row(key, value)) break;
    }
    return base::ok();
}

std::unique_ptr<MemoryStore> MemoryStore::after_power_loss(uint64_t seed) const {
    std::lock_guard lock(mutex_);
    auto image = std::make_unique<MemoryStore>();
    image->durable_ = durable_;
    std::mt19937_64 random(seed);
    size_t kept = random() % (unsynced_.size() + 1);
    for (size_t i = 0; i < kept; ++i) apply(unsynced_[i], image->durable_);
    image->now_ = image->durable_;
    return image;
}

std::unique_ptr<MemoryStore> MemoryStore::after_process_crash() const {
    std::lock_guard lock(mutex_);
    auto image = std::make_unique<MemoryStore>();
    image->durable_ = durable_;
    image->unsynced_ = unsynced_;
    image->now_ = durable_;
    for (const WriteBatch& batch : unsynced_) apply(batch, image->now_);
    return image;
}

void MemoryStore::fail_write(uint64_t nth) {
    CHECK(nth > 0);
    std::lock_guard lock(mutex_);
    fails_at_ = writes_ + nth;
}

uint64_t MemoryStore::writes() const {
    std::lock_guard lock(mutex_);
    return writes_;
}

}  // namespace storage
