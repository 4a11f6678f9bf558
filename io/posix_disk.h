#pragma once
#include <memory>

#include "io/disk.h"

namespace io {

/// The file system of this machine. Directories are locked by flock on a file `.lock` in them,
/// which `list` leaves out. Files are created with mode 0644, directories with 0755.
std::unique_ptr<Disk> posix_disk();

}  // namespace io
