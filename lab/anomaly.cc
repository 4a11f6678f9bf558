#include "lab/anomaly.h"

#include <utility>

namespace lab {

void Findings::add(Finding finding) {
    if (++counts_[static_cast<size_t>(finding.anomaly)] <= kept_of_each)
        kept_.push_back(std::move(finding));
}

}  // namespace lab
