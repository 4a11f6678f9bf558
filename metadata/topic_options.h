#pragma once
#include "base/options.h"

namespace metadata {

/// What may be set of a topic. Where a topic says nothing, the broker option that is named as the
/// first synonym holds (and through it the broker's own synonyms).
const base::OptionTable& topic_options();

}  // namespace metadata
