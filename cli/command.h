#pragma once
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/function.h"
#include "base/status.h"

namespace cli {

/// What `moldau` ends with, so that scripts can tell why.
enum class Exit : int { ok = 0, error = 1, usage = 2, timeout = 4 };

/// kInvalidArgument: usage. kDeadlineExceeded: timeout. Any other failure: error.
Exit exit_code(const base::Status&);

/// The command that was named on the command line; parsing sets it, main runs it.
struct Chosen {
    base::Function<base::Status()> run;
};

enum class Format : uint8_t { table, json };

/// Options of every command that talks to brokers: -b, -o, --timeout.
struct Common {
    std::string bootstrap = "localhost:9092";
    Format format = Format::table;
    double timeout_seconds = 30;

    std::chrono::steady_clock::time_point deadline() const;
    std::chrono::milliseconds timeout() const;
};

void add_bootstrap_option(CLI::App& command, Common& to);
void add_format_option(CLI::App& command, Common& to);
/// `text` says what the time-out is for.
void add_timeout_option(CLI::App& command, Common& to,
                        const std::string& text = "Seconds to try for; then exit code 4");
void add_common_options(CLI::App& command, Common& to);

/// A check for numbers of 32 bits. CLI11's own names all of double's range when it refuses.
CLI::Validator at_least(int32_t least);

/// A command below `parent` whose options live in an `Options` (which has `base::Status run()`).
template <class Options>
std::pair<CLI::App*, std::shared_ptr<Options>> add_command(CLI::App& parent, Chosen& chosen,
                                                           const std::string& name,
                                                           const std::string& text) {
    auto options = std::make_shared<Options>();
    CLI::App* command = parent.add_subcommand(name, text);
    command->callback([&chosen, options] { chosen.run = [options] { return options->run(); }; });
    return {command, options};
}

// One a file in commands/.
void add_serve(CLI::App& app, Chosen& chosen);
void add_local(CLI::App& app, Chosen& chosen);
void add_topic(CLI::App& app, Chosen& chosen);
void add_produce(CLI::App& app, Chosen& chosen);
void add_consume(CLI::App& app, Chosen& chosen);
void add_group(CLI::App& app, Chosen& chosen);
void add_broker(CLI::App& app, Chosen& chosen);
void add_cluster(CLI::App& app, Chosen& chosen);
void add_controller(CLI::App& app, Chosen& chosen);
/// After add_controller, to whose commands it adds.
void add_controller_transfer(CLI::App& app, Chosen& chosen);
void add_partition(CLI::App& app, Chosen& chosen);
void add_config(CLI::App& app, Chosen& chosen);

}  // namespace cli
