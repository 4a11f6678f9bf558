#include "metadata/fuzz/metadata_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    return metadata::fuzz_properties(data, size);
}
