#pragma once
#include <algorithm>
#include <functional>
#include <vector>

#include "controller/raft/configuration.h"

namespace raft {

/// The highest value that a majority of the voters has reached; the lowest possible one if there
/// are none. `of` gives each voter's.
template <class Of>
auto reached_by_majority(const Configuration& c, Of of) -> decltype(of(Member{})) {
    std::vector<decltype(of(Member{}))> values;
    for (const auto& [member, address] : c.voters) values.push_back(of(member));
    if (values.empty()) return {};
    std::ranges::sort(values, std::greater{});
    return values[c.majority() - 1];
}

/// Whether a majority of the voters satisfy `is`.
template <class Is>
bool majority_of(const Configuration& c, Is is) {
    const auto n = std::ranges::count_if(c.voters, [&](const auto& v) { return is(v.first); });
    return static_cast<size_t>(n) >= c.majority();
}

}  // namespace raft
