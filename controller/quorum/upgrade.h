#pragma once
#include <string>

#include "base/status.h"
#include "controller/raft/types.h"
#include "storage/store/store.h"

namespace quorum {

/// Whether the rows of the metadata log are of format 1, which a node wrote that was the only
/// controller of its cluster:
///   m/term                   the newest term begun 8
///   m/snapshot               index 8, term 8, chunks 4, format 4 (1)
///   m/chunk/ number 4        a serialized moldau.metadata.v1.Entry
///   m/entry/ index 8         term 8, a serialized moldau.metadata.v1.Entry
/// with the same checksums as format 2 (rows.h).
base::Result<bool> is_format_one(const storage::Store&);

/// Rewrites them as format 2, in one synced batch: `self` is the only voter, and has voted for
/// itself. A node that began a term but has no entry yet is left without rows.
/// Nothing is written if it fails: kFailedPrecondition if the rows are not of `cluster_id`, unless
/// that is empty; kDataLoss if a checksum is wrong, or an entry or chunk is missing or can't be
/// read.
base::Status upgrade_format_one(storage::Store&, const raft::Member& self,
                                const std::string& cluster_id, const std::string& address);

}  // namespace quorum
