#pragma once
#include "cli/command.h"

namespace cli {

/// move, status and cancel.
void add_partition_moves(CLI::App& partition, Chosen& chosen);

}  // namespace cli
