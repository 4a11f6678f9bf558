#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_decompressBound
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "base/check.h"
#include "kafka/records/codecs.h"

namespace kafka::codecs {
namespace {

struct Reader {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    Reader() { CHECK(context != nullptr); }
    ~Reader() { ZSTD_freeDCtx(context); }
};

struct Writer {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    Writer() { CHECK(context != nullptr); }
    ~Writer() { ZSTD_freeCCtx(context); }
};

}  // namespace

base::Result<Decompressed> unzstd(base::View in, size_t budget) {
    if (in.empty()) return corrupt("zstd");
    // In one pass into our own memory, so that no window is allocated, however large a frame asks
    // for. The bound comes from block headers: right for any frame, and close for small ones.
    const unsigned long long bound = ZSTD_decompressBound(in.data(), in.size());
    if (bound == ZSTD_CONTENTSIZE_ERROR) return corrupt("zstd");
    const auto capacity = static_cast<size_t>(std::min<unsigned long long>(bound, budget));
    thread_local Reader reader;
    Decompressed out(capacity);
    const size_t size =
        ZSTD_decompressDCtx(reader.context, out.room().data(),
                            std::min(capacity, out.room().size()), in.data(), in.size());
    if (ZSTD_isError(size)) {
        if (ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall && bound > budget) {
            return too_large();
        }
        return corrupt("zstd");
    }
    out.wrote(size);
    return out;
}

void zstd(int level, base::View in, base::Bytes& out) {
    thread_local Writer writer;
    ZSTD_CCtx_reset(writer.context, ZSTD_reset_session_and_parameters);
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(writer.context, ZSTD_c_compressionLevel, level)));
    const size_t before = out.size();
    out.resize(before + ZSTD_compressBound(in.size()));
    const size_t size = ZSTD_compress2(writer.context, out.data() + before, out.size() - before,
                                       in.data(), in.size());
    CHECK(!ZSTD_isError(size)) << ZSTD_getErrorName(size);
    out.resize(before + size);
}

}  // namespace kafka::codecs
