#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/sim/seeds.h"

/// For simulations that are GoogleTest programs. Who links this has its main(), which takes
/// `--seeds A..B` beside GoogleTest's own arguments.
namespace base::sim {

/// Whether the program was asked for seeds of its own, rather than for what it runs by default.
bool seeds_asked();
/// Those that it was asked for, else 1..usual.
std::vector<Seeds> seeds_or(uint64_t usual);

/// Runs each seed. What `run` returns is how the seed failed, and fails the test; empty: it did
/// not. Five failures are enough.
void expect_each(const std::vector<Seeds>&, Function<std::string(uint64_t seed)> run);

}  // namespace base::sim
