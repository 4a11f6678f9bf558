#pragma once
#include <memory>
#include <string>

#include "storage/store/store.h"

namespace storage {

/// Opens the store in `directory`, which is created with its parents if it is not there. Sized for
/// what is small: about 20 MiB of memory at most.
/// kFailedPrecondition if another process has it open; kDataLoss if its files make no sense.
base::Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory);

}  // namespace storage
