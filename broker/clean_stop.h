#pragma once
#include <cstdint>

#include "base/status.h"

namespace storage {
class Store;
}

namespace broker {

/// How a broker shows after a restart that it had stopped in order, with all that it had
/// acknowledged on disk (KIP-966): a row with the epoch that it had. It is there until the broker
/// has registered anew and may change its logs again, so that a start that comes to nothing before
/// doesn't count against it.

/// That epoch, or -1 if the broker did not stop in order.
base::Result<int64_t> clean_stop(const storage::Store&);
/// Before the first log is opened. Durable when it returns.
base::Status forget_clean_stop(storage::Store&);
/// The last thing that a broker writes.
base::Status put_clean_stop(storage::Store&, int64_t epoch);

}  // namespace broker
