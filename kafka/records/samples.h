#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "kafka/records/builder.h"

/// Bytes for tests.
namespace kafka {

inline constexpr Codec all_codecs[] = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4,
                                       Codec::zstd};

/// `size` bytes that compress somewhat, the same for the same seed.
inline base::Bytes sample_text(size_t size, uint64_t seed = 1) {
    base::Bytes out;
    out.reserve(size);
    for (uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1; out.size() < size;) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        // A few letters, so that codecs find something to do.
        for (int i = 0; i < 8 && out.size() < size; ++i) {
            out.push_back(static_cast<std::byte>('a' + ((x >> (8 * i)) & 7)));
        }
    }
    return out;
}

/// A batch of `count` records with keys "k0", "k1", … and values of `value_size` bytes.
inline base::Bytes sample_batch(int count, size_t value_size = 20,
                                const BatchBuilder::Options& options = {},
                                base::TimestampMs timestamp = 1'700'000'000'000) {
    BatchBuilder builder(options);
    for (int i = 0; i < count; ++i) {
        const auto key = "k" + std::to_string(i);
        const auto value = sample_text(value_size, static_cast<uint64_t>(i) + 1);
        builder.add({.timestamp = timestamp + i, .key = base::as_bytes(key), .value = value});
    }
    return std::move(builder).build();
}

}  // namespace kafka
