#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "kafka/records/codecs.h"

namespace kafka::codecs {
namespace {

constexpr int gzip_window = 15 + 16;  // the largest window, in gzip's own framing

struct Inflater {
    z_stream stream{};
    Inflater() { CHECK(inflateInit2(&stream, gzip_window) == Z_OK); }
    ~Inflater() { inflateEnd(&stream); }
};

struct Deflater {
    z_stream stream{};
    int level;
    explicit Deflater(int l) : level(l) {
        CHECK(deflateInit2(&stream, l, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK)
            << "level " << l;
    }
    ~Deflater() { deflateEnd(&stream); }
};

unsigned char* bytes_of(base::View v) {
    return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(v.data()));
}

}  // namespace

base::Result<Decompressed> gunzip(base::View in, size_t budget) {
    thread_local Inflater inflater;
    z_stream& z = inflater.stream;
    inflateReset(&z);
    z.next_in = bytes_of(in);
    z.avail_in = static_cast<unsigned>(in.size());
    Decompressed out(std::min(budget, std::max<size_t>(in.size() * 4, 16 << 10)));
    while (true) {
        const auto room = out.room();
        std::byte overflow;  // tells a stream that ends exactly at the budget from one that goes on
        const bool full = room.empty();
        z.next_out = full ? reinterpret_cast<unsigned char*>(&overflow) : bytes_of(room);
        z.avail_out = full ? 1 : static_cast<unsigned>(std::min<size_t>(room.size(), 1u << 30));
        const unsigned offered = z.avail_out;
        const int outcome = inflate(&z, Z_NO_FLUSH);
        const unsigned wrote = offered - z.avail_out;
        if (full && wrote > 0) return too_large();
        if (!full) out.wrote(wrote);
        if (outcome == Z_STREAM_END) {
            if (z.avail_in == 0) return out;
            // Members may follow one another (RFC 1952, 2.2).
            inflateReset(&z);
            continue;
        }
        if (outcome != Z_OK) return corrupt("gzip");
        if (out.room().empty()) out.grow(budget);
    }
}

void gzip(int level, base::View in, base::Bytes& out) {
    thread_local std::optional<Deflater> deflater;
    if (!deflater || deflater->level != level) deflater.emplace(level);
    z_stream& z = deflater->stream;
    deflateReset(&z);
    const size_t before = out.size();
    out.resize(before + deflateBound(&z, in.size()));
    z.next_in = bytes_of(in);
    z.avail_in = static_cast<unsigned>(in.size());
    z.next_out = bytes_of(base::View(out).subspan(before));
    z.avail_out = static_cast<unsigned>(out.size() - before);
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END) << "deflateBound is a bound";
    out.resize(out.size() - z.avail_out);
}

}  // namespace kafka::codecs
