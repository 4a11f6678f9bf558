#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/endian.h"
#include "kafka/records/codecs.h"

namespace kafka::codecs {
namespace {

// The framing of snappy-java's SnappyOutputStream ("xerial"): a magic, two versions, then blocks of
// a 32-bit size and as many bytes of raw snappy each.
constexpr std::array<unsigned char, 8> xerial_magic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr size_t xerial_header_size = 16;
constexpr size_t xerial_block_size = 32 << 10;
// No element of the format makes more of its bytes: a copy of 64 bytes takes two at least.
constexpr size_t most_expansion = 64;

const char* chars(base::View v) { return reinterpret_cast<const char*>(v.data()); }

/// Appends one raw block.
base::Status take_block(base::View block, size_t budget, Decompressed& out) {
    size_t size = 0;
    if (!::snappy::GetUncompressedLength(chars(block), block.size(), &size))
        return corrupt("snappy");
    if (size / most_expansion > block.size()) return corrupt("snappy");
    if (size > budget - out.size()) return too_large();
    while (out.room().size() < size) {
        if (!out.grow(budget)) return too_large();
    }
    if (!::snappy::RawUncompress(chars(block), block.size(),
                                 reinterpret_cast<char*>(out.room().data()))) {
        return corrupt("snappy");
    }
    out.wrote(size);
    return base::ok();
}

}  // namespace

base::Result<Decompressed> unsnappy(base::View in, size_t budget) {
    Decompressed out(std::min(budget, std::max<size_t>(in.size() * 2, 64 << 10)));
    const bool framed = in.size() >= xerial_magic.size() &&
                        std::memcmp(in.data(), xerial_magic.data(), xerial_magic.size()) == 0;
    if (!framed) {
        RETURN_IF_ERROR(take_block(in, budget, out));
        return out;
    }
    if (in.size() < xerial_header_size) return corrupt("snappy");
    in = in.subspan(xerial_header_size);
    while (!in.empty()) {
        if (in.size() < 4) return corrupt("snappy");
        const size_t size = base::load_be<uint32_t>(in.data());
        in = in.subspan(4);
        if (size > in.size()) return corrupt("snappy");
        RETURN_IF_ERROR(take_block(in.first(size), budget, out));
        in = in.subspan(size);
    }
    return out;
}

void snappy(base::View in, base::Bytes& out) {
    size_t at = out.size();
    const size_t blocks = (in.size() + xerial_block_size - 1) / xerial_block_size;
    const size_t most_block = ::snappy::MaxCompressedLength(xerial_block_size);
    out.resize(at + xerial_header_size + blocks * (4 + most_block));
    std::memcpy(out.data() + at, xerial_magic.data(), xerial_magic.size());
    base::store_be<int32_t>(out.data() + at + 8, 1);   // version
    base::store_be<int32_t>(out.data() + at + 12, 1);  // oldest version that can read it
    at += xerial_header_size;
    while (!in.empty()) {
        const auto block = in.first(std::min(in.size(), xerial_block_size));
        size_t size = 0;
        ::snappy::RawCompress(chars(block), block.size(),
                              reinterpret_cast<char*>(out.data() + at + 4), &size);
        base::store_be(out.data() + at, static_cast<uint32_t>(size));
        at += 4 + size;
        in = in.subspan(block.size());
    }
    out.resize(at);
}

}  // namespace kafka::codecs
