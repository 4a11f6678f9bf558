#include "io/heap.h"

#include <malloc.h>

namespace io {

void return_free_heap() { malloc_trim(0); }

}  // namespace io
