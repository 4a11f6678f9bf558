#pragma once
#include <cstdint>

#include "base/status.h"

namespace cli::local {

/// kAlreadyExists if something listens on that port of 127.0.0.1; the message says what, as far as
/// this user may see it.
base::Status port_is_free(uint16_t port);

}  // namespace cli::local
