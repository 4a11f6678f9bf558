#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace io {

/// The draws of a simulated fault, the same on every machine for the same seed.
class Dice {
  public:
    explicit Dice(uint64_t seed) : engine_(seed) {}
    /// 0 to n - 1; n > 0.
    uint64_t below(uint64_t n) { return engine_() % n; }
    bool one_in(uint64_t n) { return below(n) == 0; }

  private:
    std::mt19937_64 engine_;
};

/// The content of a file in memory: what readers see now, what is on the medium for certain, and
/// the changes between the two, of which a power loss keeps what it likes.
class VolatileBytes {
  public:
    VolatileBytes() = default;
    /// Content that is on the medium.
    explicit VolatileBytes(base::Bytes durable) : now_(durable), durable_(std::move(durable)) {}

    base::View now() const { return now_; }
    uint64_t size() const { return now_.size(); }

    void append(base::View bytes);
    /// Cuts, or extends with zeros.
    void truncate(uint64_t size);
    void sync();
    /// What Linux does when write-back fails: readers go on seeing every byte, but some blocks
    /// never reach the medium, and the next sync says ok.
    void sync_failed(Dice&);
    /// A content that a power loss now could leave. The size is that after any of the unsynced
    /// changes, or inside an append. Each block (of 512 bytes or 4 KiB) on its own holds the bytes
    /// of any moment since the last sync, or zeros where the size ran ahead of the data. What was
    /// synced and not changed since is always there.
    base::Bytes after_power_loss(Dice&) const;
    void flip_bit(uint64_t offset, unsigned bit);

  private:
    struct Change {
        uint64_t from;  // where `bytes` go; unused if there are none
        base::Bytes bytes;
        uint64_t size_after;
    };

    /// The file as of `size` bytes of version `version` (the number of changes applied), each
    /// touched block being of another version in `stray` of 4 cases.
    base::Bytes image(Dice&, size_t version, uint64_t size, uint64_t stray) const;
    void block_at(size_t version, uint64_t from, base::MutableView to) const;
    /// The version whose bytes a block shows if it was written when `wanted` was current and the
    /// file's size is that of `version`; nothing if those bytes are gone.
    size_t visible(size_t wanted, size_t version, uint64_t block) const;
    uint64_t size_at(size_t version) const;
    /// No byte before it has changed since the last sync.
    uint64_t first_changed() const;

    base::Bytes now_;
    base::Bytes durable_;
    std::vector<Change> changes_;
};

}  // namespace io
