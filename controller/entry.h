#pragma once
#include <cstdint>

#include "controller/decision.h"

namespace controller {

/// One entry of the metadata log: records that take effect together.
struct Entry {
    metadata::LogPosition position;  // index from 1, without gaps; terms never fall
    Records records;
};

}  // namespace controller
