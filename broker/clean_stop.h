#pragma once
#include <cstdint>

#include "base/status.h"

namespace storage {
class Store;
}

namespace broker {

/// How a broker shows after a restart that it had stopped in order, with all that it had
/// acknowledged on disk (KIP-966): a row with the epoch that it had. The row is gone as soon as the
/// broker has started.

/// That epoch, or -1 if the broker did not stop in order. Durable when it returns.
base::Result<int64_t> take_clean_stop(storage::Store&);
/// The last thing that a broker writes.
base::Status put_clean_stop(storage::Store&, int64_t epoch);

}  // namespace broker
