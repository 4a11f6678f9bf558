// Each decompressor: the first byte names the codec, the rest is its stream.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "kafka/records/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t budget = 256 << 10;
    if (size == 0) return 0;
    const auto codec = static_cast<kafka::Codec>(data[0] % 5);
    const base::View stream(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    const auto out = kafka::decompress(codec, stream, budget);
    if (!out.ok()) return 0;
    CHECK(out->bytes().size() <= budget);
    // What went in once goes in and out again.
    base::Bytes packed;
    kafka::compress({codec, {}}, out->bytes(), packed);
    const auto again = kafka::decompress(codec, packed, budget);
    CHECK(again.ok() && base::equal(again->bytes(), out->bytes()));
    return 0;
}
