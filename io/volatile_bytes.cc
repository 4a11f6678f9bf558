#include "io/volatile_bytes.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace io {

namespace {

/// Copies the part of `bytes`, which lie at `at`, that overlaps `to`, which lies at `from`.
void copy_overlap(base::View bytes, uint64_t at, uint64_t from, base::MutableView to) {
    uint64_t begin = std::max(at, from);
    uint64_t end = std::min(at + bytes.size(), from + to.size());
    if (begin >= end) return;
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(begin - at), end - begin,
                to.begin() + static_cast<ptrdiff_t>(begin - from));
}

}  // namespace

void VolatileBytes::append(base::View bytes) {
    if (bytes.empty()) return;
    changes_.push_back({now_.size(), {bytes.begin(), bytes.end()}, now_.size() + bytes.size()});
    now_.insert(now_.end(), bytes.begin(), bytes.end());
}

void VolatileBytes::truncate(uint64_t size) {
    changes_.push_back({0, {}, size});
    now_.resize(size);
}

void VolatileBytes::sync() {
    for (const Change& change : changes_) {
        durable_.resize(change.size_after);
        copy_overlap(change.bytes, change.from, 0, durable_);
    }
    changes_.clear();
}

void VolatileBytes::sync_failed(Dice& dice) {
    durable_ = image(dice, changes_.size(), now_.size(), 2);
    changes_.clear();
}

base::Bytes VolatileBytes::after_power_loss(Dice& dice) const {
    size_t version = changes_.size();
    if (uint64_t luck = dice.below(4); luck == 0) version = 0;
    else if (luck > 1) version = dice.below(changes_.size() + 1);
    uint64_t size = size_at(version);
    if (version < changes_.size() && !changes_[version].bytes.empty() && dice.one_in(2)) {
        size += 1 + dice.below(changes_[version].bytes.size());
        ++version;
        // Write-back extends a file page by page; other sizes come from a write cut short.
        if (!dice.one_in(4)) size = std::min((size + 4095) / 4096 * 4096, size_at(version));
    }
    return image(dice, version, size, dice.below(5));
}

void VolatileBytes::flip_bit(uint64_t offset, unsigned bit) {
    CHECK(offset < now_.size() && bit < 8) << "offset " << offset << " bit " << bit;
    auto mask = static_cast<std::byte>(1U << bit);
    now_[offset] ^= mask;
    if (offset < durable_.size()) durable_[offset] ^= mask;
    for (Change& change : changes_) {
        if (offset >= change.from && offset - change.from < change.bytes.size())
            change.bytes[offset - change.from] ^= mask;
    }
}

base::Bytes VolatileBytes::image(Dice& dice, size_t version, uint64_t size, uint64_t stray) const {
    base::Bytes image(size);
    uint64_t block = dice.one_in(2) ? 512 : 4096;
    uint64_t changed = std::min(first_changed() / block * block, size);
    copy_overlap(durable_, 0, 0, std::span(image).first(changed));
    for (uint64_t from = changed; from < size; from += block) {
        base::MutableView to = std::span(image).subspan(from, std::min(block, size - from));
        size_t wanted = version;
        if (dice.below(4) < stray) wanted = dice.one_in(2) ? 0 : dice.below(changes_.size() + 1);
        size_t shown = visible(wanted, version, from);
        if (shown <= changes_.size()) block_at(shown, from, to);
    }
    return image;
}

size_t VolatileBytes::visible(size_t wanted, size_t version, uint64_t block) const {
    // A cut frees the block: bytes from before it are gone, and bytes from after it lie in another
    // block, which the file does not refer to unless the cut is there too.
    for (size_t v = std::min(wanted, version) + 1; v <= std::max(wanted, version); ++v) {
        if (size_at(v) > block) continue;
        return wanted < version ? std::numeric_limits<size_t>::max() : version;
    }
    return wanted;
}

void VolatileBytes::block_at(size_t version, uint64_t from, base::MutableView to) const {
    copy_overlap(durable_, 0, from, to);
    for (size_t i = 0; i < version; ++i) {
        const Change& change = changes_[i];
        if (change.size_after < from + to.size()) {
            uint64_t kept = std::max(change.size_after, from) - from;
            std::ranges::fill(to.subspan(kept), std::byte{0});
        }
        copy_overlap(change.bytes, change.from, from, to);
    }
}

uint64_t VolatileBytes::size_at(size_t version) const {
    return version == 0 ? durable_.size() : changes_[version - 1].size_after;
}

uint64_t VolatileBytes::first_changed() const {
    uint64_t first = durable_.size();
    for (const Change& change : changes_) {
        first = std::min(first, change.size_after);
        if (!change.bytes.empty()) first = std::min(first, change.from);
    }
    return first;
}

}  // namespace io
