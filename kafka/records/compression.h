#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"
#include "kafka/records/batch.h"

namespace kafka {

/// How to compress: the codec and its level in the terms of compression.<codec>.level; nothing:
/// Kafka's default (gzip -1, lz4 9, zstd 3; snappy has no levels).
struct Compression {
    Codec codec = Codec::none;
    std::optional<int> level;
};

/// Decompressed bytes. Their memory goes back to this thread's spare one when destroyed.
class Decompressed {
  public:
    Decompressed() = default;
    Decompressed(Decompressed&& other) noexcept;
    Decompressed& operator=(Decompressed&& other) noexcept;
    Decompressed(const Decompressed&) = delete;
    ~Decompressed();

    base::View bytes() const { return {data_, size_}; }

    /// Room for `capacity` bytes, from the thread's spare memory if it is large enough.
    explicit Decompressed(size_t capacity);
    base::MutableView room() { return {data_ + size_, capacity_ - size_}; }
    void wrote(size_t more) { size_ += more; }
    size_t size() const { return size_; }
    /// Doubles the capacity, to `most` at most; false if it is there already.
    bool grow(size_t most);

  private:
    std::byte* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;   // as asked for
    size_t allocated_ = 0;  // at least that
};

/// Decompresses the records of a batch. Output larger than `budget` bytes is never held:
/// kResourceExhausted; cut, corrupt or trailing bytes: kDataLoss. Snappy comes in xerial's framing
/// or as one raw block. Codec::none copies. Contexts are kept per thread.
base::Result<Decompressed> decompress(Codec, base::View in, size_t budget);

/// Appends `in`, compressed in the form that Kafka's clients expect, to `out`.
void compress(const Compression&, base::View in, base::Bytes& out);

}  // namespace kafka
