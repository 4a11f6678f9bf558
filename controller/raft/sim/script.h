#pragma once
#include <optional>
#include <string>

namespace raft::sim {

/// Runs a script of tests/scripts/raft/, whose README.md describes the commands. Nothing, or the
/// line and what was not as expected; the ghost watches too.
std::optional<std::string> run_script(const std::string& path);

}  // namespace raft::sim
