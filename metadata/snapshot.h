#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "base/status.h"
#include "metadata/image.h"

namespace moldau::metadata::v1 {
class Record;
}

namespace metadata {

/// Calls `record` for each record of the shortest list that gives this image from the empty one, in
/// an order that depends on nothing but the image.
void for_each_record(const Image&,
                     const std::function<void(const ::moldau::metadata::v1::Record&)>& record);

/// The image of such a list. kInvalidArgument if a record does not fit.
base::Result<ImagePtr> image_of(const std::vector<::moldau::metadata::v1::Record>&,
                                const LogPosition&);

/// 64 bits over all records of the image and its position: equal on every node that applied the
/// same entries, whatever snapshots lie between.
uint64_t hash(const Image&);

}  // namespace metadata
