#include <cstdio>

#include "cli/command.h"
#include "metadata/options_doc.h"

namespace cli {
namespace {

struct Docs {
    static base::Status run() {
        const std::string text = metadata::options_markdown();
        std::fwrite(text.data(), 1, text.size(), stdout);
        return base::ok();
    }
};

}  // namespace

void add_config(CLI::App& app, Chosen& chosen) {
    CLI::App* config = app.add_subcommand("config", "The options of brokers and topics");
    config->require_subcommand(1);
    add_command<Docs>(*config, chosen, "docs", "Print docs/options.md as these options have it");
}

}  // namespace cli
