#pragma once
#include "cli/command.h"

namespace cli {

void add_lab(CLI::App& app, Chosen& chosen);

}  // namespace cli
