#include "storage/fuzz/storage_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    return storage::fuzz_producer_snapshot(data, size);
}
