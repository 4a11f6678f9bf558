#pragma once
#include <string>

#include "base/status.h"

namespace io {

/// What a failed system call means, as base/status.h sorts failures: "what: strerror".
///   ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM → kResourceExhausted
///   EIO, EROFS (as a file system turns after errors) and broken connections → kUnavailable
base::Status errno_status(int error, const std::string& what);

}  // namespace io
