#pragma once
#include <cstddef>

#include "base/bytes.h"
#include "base/status.h"
#include "kafka/records/compression.h"

/// One function pair a codec, behind decompress() and compress() of compression.h. The contract of
/// each is theirs.
namespace kafka::codecs {

inline base::Status too_large() {
    return base::exhausted("decompressed records are larger than allowed");
}
inline base::Status corrupt(const char* codec) {
    return base::data_loss(std::string("corrupt ") + codec + " stream");
}

base::Result<Decompressed> gunzip(base::View in, size_t budget);
base::Result<Decompressed> unsnappy(base::View in, size_t budget);
base::Result<Decompressed> unlz4(base::View in, size_t budget);
base::Result<Decompressed> unzstd(base::View in, size_t budget);

void gzip(int level, base::View in, base::Bytes& out);
void snappy(base::View in, base::Bytes& out);
void lz4(int level, base::View in, base::Bytes& out);
void zstd(int level, base::View in, base::Bytes& out);

}  // namespace kafka::codecs
