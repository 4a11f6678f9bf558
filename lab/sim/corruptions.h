#pragma once
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "lab/anomaly.h"
#include "lab/history.h"

namespace lab::sim {

/// A way in which a run goes wrong, as its history shows it.
struct Corruption {
    std::string_view name;
    Anomaly caught_as;
    /// Changes a correct history; false if it has no place for that.
    bool (*plant)(std::vector<Event>&, std::mt19937_64&);
    /// What follows from it now and then.
    std::vector<Anomaly> may_follow;
};

/// At least one for each anomaly.
const std::vector<Corruption>& corruptions();

}  // namespace lab::sim
