#pragma once
#include <span>
#include <utility>

namespace transport {

/// What both ends of every connection are set to, by gRPC's names of its arguments.
std::span<const std::pair<const char*, int>> connection_arguments();

}  // namespace transport
