#pragma once
#include <cstddef>
#include <cstdint>

namespace metadata {

/// A server.properties of these bytes is read or refused with a message, without harm.
int fuzz_properties(const uint8_t* data, size_t size);

/// A serialized entry of the metadata log is refused, or gives an image whose snapshot gives the
/// same image; a refused record changes nothing.
int fuzz_metadata_records(const uint8_t* data, size_t size);

}  // namespace metadata
