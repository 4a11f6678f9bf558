#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"

namespace base::sim {

struct Seeds {
    uint64_t first = 1;
    uint64_t last = 1;

    bool operator==(const Seeds&) const = default;
};

/// What a simulation was asked for on its command line.
struct Asked {
    std::vector<Seeds> seeds;
    bool trace = false;
};

/// So many of which nobody knows the outcome; prints them, so that they can be run again.
Seeds fresh_seeds(uint64_t count);

/// Reads the arguments that follow the program's name; `--seeds A` is A..A. Nothing: that is not
/// the usage.
std::optional<Asked> asked_for(int argc, const char* const* argv);

struct Ran {
    uint64_t seeds = 0;
    uint64_t failed = 0;
    double seconds = 0;
};
/// Runs each seed. What `run` returns is what went wrong, and is printed with the seed, for the
/// first ten that fail.
Ran run_each(const Asked&, Function<std::optional<std::string>(uint64_t seed)> run);

/// What a simulation counts, and what that is called: "12 elections".
struct Total {
    uint64_t count = 0;
    std::string_view of;
};
/// The main() of a simulation that is a program: runs the seeds that it is asked for, then prints
/// its totals in a line. 1 if a seed failed, 2 if that is not the usage.
int run_program(std::string_view name, int argc, const char* const* argv,
                Function<std::optional<std::string>(uint64_t seed, bool trace)> run,
                Function<std::vector<Total>()> totals);

}  // namespace base::sim
