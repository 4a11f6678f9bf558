#include <lz4frame.h>

#include <algorithm>

#include "base/check.h"
#include "kafka/records/codecs.h"

namespace kafka::codecs {
namespace {

struct Reader {
    LZ4F_dctx* context = nullptr;
    Reader() { CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))); }
    ~Reader() { LZ4F_freeDecompressionContext(context); }
};

struct Writer {
    LZ4F_cctx* context = nullptr;
    Writer() { CHECK(!LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))); }
    ~Writer() { LZ4F_freeCompressionContext(context); }
};

}  // namespace

base::Result<Decompressed> unlz4(base::View in, size_t budget) {
    thread_local Reader reader;
    LZ4F_resetDecompressionContext(reader.context);
    Decompressed out(std::min(budget, std::max<size_t>(in.size() * 3, 64 << 10)));
    while (true) {
        const auto room = out.room();
        std::byte overflow;  // tells a frame that ends exactly at the budget from one that goes on
        const bool full = room.empty();
        size_t wrote = full ? 1 : room.size();
        size_t read = in.size();
        const size_t hint = LZ4F_decompress(reader.context, full ? &overflow : room.data(), &wrote,
                                            in.data(), &read, nullptr);
        if (LZ4F_isError(hint)) return corrupt("lz4");
        if (full && wrote > 0) return too_large();
        if (!full) out.wrote(wrote);
        in = in.subspan(read);
        if (hint == 0) {
            if (in.empty()) return out;
            return corrupt("lz4");  // a batch holds one frame
        }
        if (out.room().empty() && out.grow(budget)) continue;
        if (read == 0 && wrote == 0) return corrupt("lz4");  // cut short
    }
}

void lz4(int level, base::View in, base::Bytes& out) {
    thread_local Writer writer;
    LZ4F_preferences_t how = LZ4F_INIT_PREFERENCES;
    how.frameInfo.blockSizeID = LZ4F_max64KB;
    how.frameInfo.blockMode = LZ4F_blockIndependent;  // all that Kafka's Java reader takes
    // Kafka's default level stands for the fast compressor; others are those of the thorough one.
    how.compressionLevel = level == 9 ? 0 : level;
    how.autoFlush = 1;
    size_t at = out.size();
    out.resize(at + LZ4F_compressFrameBound(in.size(), &how));
    const auto step = [&](size_t outcome) {
        CHECK(!LZ4F_isError(outcome)) << LZ4F_getErrorName(outcome);
        at += outcome;
    };
    const auto left = [&] { return out.size() - at; };
    step(LZ4F_compressBegin(writer.context, out.data() + at, left(), &how));
    step(LZ4F_compressUpdate(writer.context, out.data() + at, left(), in.data(), in.size(),
                             nullptr));
    step(LZ4F_compressEnd(writer.context, out.data() + at, left(), nullptr));
    out.resize(at);
}

}  // namespace kafka::codecs
