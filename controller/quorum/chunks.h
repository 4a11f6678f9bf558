#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metadata/delta.h"
#include "metadata/image.h"

namespace quorum {

/// A part of a snapshot is closed when it reaches this; a record is never cut.
constexpr size_t kChunkBytes = 256 * 1024;

/// The image as parts of a snapshot, each a serialized moldau.metadata.v1.Entry; at least one. The
/// same image gives the same parts.
std::vector<std::string> chunks_of(const metadata::Image&, size_t chunk_bytes = kChunkBytes);

/// The image of a snapshot, from its parts, one after the other.
class ImageReader {
  public:
    ImageReader() : delta_(metadata::Image::empty()) {}

    /// kDataLoss if the part can't be read; kInvalidArgument if a record does not fit the ones
    /// before, or is of a kind that this version does not know.
    base::Status add(std::string_view chunk);
    metadata::ImagePtr finish(const metadata::LogPosition& at) { return delta_.apply(at); }

  private:
    metadata::Delta delta_;
};

}  // namespace quorum
