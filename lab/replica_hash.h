#pragma once
#include <cstdint>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/status.h"
#include "io/disk.h"

namespace lab {

/// The log of a partition as it lies in its directory.
struct ReplicaSummary {
    base::Offset start = 0;  // where the first segment begins
    base::Offset end = 0;    // after the last record
    uint64_t batches = 0;
};

/// Reads a partition's whole log from its directory, and calls `block` for each run of
/// `block_offsets` offsets (by the first offset of batches) with where that begins and a hash of
/// all its batches' bytes. No process may write to it meanwhile.
/// kDataLoss: a batch fails its checksum, or the segments don't follow on; it names the file.
base::Result<ReplicaSummary> hash_replica(
    io::Disk& disk, const std::string& directory, base::Offset block_offsets,
    base::Function<void(base::Offset begin, uint64_t hash)> block);

}  // namespace lab
