#pragma once
#include <memory>

#include "storage/log_sim.h"

namespace storage {

/// The disk and the store as the log under test sees them: with the mutant's fault built in.
std::unique_ptr<io::Disk> see_disk(io::MemoryDisk&, Mutant);
std::unique_ptr<Store> see_store(MemoryStore&, io::MemoryDisk&, Mutant);

}  // namespace storage
