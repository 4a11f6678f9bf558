#pragma once
#include <string>

#include "cli/command.h"
#include "cli/local/folder.h"

namespace cli {

/// What every `local` command knows: where the cluster lies.
struct Directory {
    std::string path = "./.moldau";

    std::string absolute() const;
    void add_option(CLI::App& command);
    /// kNotFound, and what to do: there is no such broker.
    base::Result<local::BrokerFolder> broker(int32_t id) const;
};

// Below `moldau local`.
void add_local_status(CLI::App& local, Chosen& chosen);
void add_local_links(CLI::App& local, Chosen& chosen);

}  // namespace cli
