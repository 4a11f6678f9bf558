#include "kafka/fuzz/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    return kafka::fuzz_frame(data, size);
}
