#include "kafka/records/compression.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "kafka/records/codecs.h"

namespace kafka {
namespace {

// What a thread keeps for its next batch. Larger memory is given back at once.
constexpr size_t spare_most = size_t{4} << 20;

struct Spare {
    std::byte* data = nullptr;
    size_t capacity = 0;
    ~Spare() { std::free(data); }
};
thread_local Spare spare;

std::byte* resized(std::byte* data, size_t capacity) {
    auto* p = static_cast<std::byte*>(std::realloc(data, capacity));
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

Decompressed::Decompressed(size_t capacity) : capacity_(capacity), allocated_(capacity) {
    if (spare.capacity >= capacity && spare.data != nullptr) {
        data_ = std::exchange(spare.data, nullptr);
        allocated_ = std::exchange(spare.capacity, 0);
    } else if (capacity > 0) {
        data_ = resized(nullptr, capacity);
    }
}

Decompressed::Decompressed(Decompressed&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      allocated_(std::exchange(other.allocated_, 0)) {}

Decompressed& Decompressed::operator=(Decompressed&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(allocated_, other.allocated_);
    return *this;
}

Decompressed::~Decompressed() {
    if (allocated_ <= spare_most && allocated_ > spare.capacity) {
        std::swap(data_, spare.data);
        spare.capacity = allocated_;
    }
    std::free(data_);
}

bool Decompressed::grow(size_t most) {
    if (capacity_ >= most) return false;
    capacity_ = std::min(most, std::max<size_t>(capacity_ * 2, 64 << 10));
    if (capacity_ > allocated_) {
        data_ = resized(data_, capacity_);
        allocated_ = capacity_;
    }
    return true;
}

base::Result<Decompressed> decompress(Codec codec, base::View in, size_t budget) {
    switch (codec) {
        case Codec::none: {
            if (in.size() > budget) return codecs::too_large();
            Decompressed out(in.size());
            if (!in.empty()) std::memcpy(out.room().data(), in.data(), in.size());
            out.wrote(in.size());
            return out;
        }
        case Codec::gzip:
            return codecs::gunzip(in, budget);
        case Codec::snappy:
            return codecs::unsnappy(in, budget);
        case Codec::lz4:
            return codecs::unlz4(in, budget);
        case Codec::zstd:
            return codecs::unzstd(in, budget);
    }
    return base::invalid("unknown codec");
}

void compress(const Compression& how, base::View in, base::Bytes& out) {
    switch (how.codec) {
        case Codec::none:
            out.insert(out.end(), in.begin(), in.end());
            return;
        case Codec::gzip:
            codecs::gzip(how.level.value_or(-1), in, out);
            return;
        case Codec::snappy:
            codecs::snappy(in, out);
            return;
        case Codec::lz4:
            codecs::lz4(how.level.value_or(9), in, out);
            return;
        case Codec::zstd:
            codecs::zstd(how.level.value_or(3), in, out);
            return;
    }
    CHECK(false) << "unknown codec " << static_cast<int>(how.codec);
}

}  // namespace kafka
