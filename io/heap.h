#pragma once

namespace io {

/// Gives the pages of freed memory back to the system. The C library keeps what a burst of large
/// requests has used; a broker at rest would hold its peak for ever. Takes milliseconds for
/// hundreds of megabytes and holds the allocator's locks meanwhile: for moments of rest, on the
/// pool of blocking work.
void return_free_heap();

}  // namespace io
