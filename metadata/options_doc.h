#pragma once
#include <string>

namespace metadata {

/// docs/options.md, from the tables of topic and broker options.
std::string options_markdown();

}  // namespace metadata
