#include <cstdio>
#include <string>

#include "absl/synchronization/mutex.h"
#include "cli/command.h"
#include "cli/commands/lab.h"
#include "cli/output.h"

namespace {

/// The command that was named last.
const CLI::App& innermost(const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands()) return innermost(*command);
    return app;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
    // Help and version come as "errors" with code 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    const CLI::App& command = innermost(app);
    // CLI11 would only say that some command is missing, or nothing of which commands there are.
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
        command.get_require_subcommand_min() > 0) {
        const auto unknown = command.remaining();
        if (!unknown.empty())
            cli::print_error((unknown.front().starts_with('-') ? "there is no option '"
                                                               : "there is no command '") +
                             unknown.front() + "'");
        const CLI::App* parent = command.get_parent();
        const std::string before = parent == nullptr ? "" : parent->get_name();
        std::fputs(command.help(before).c_str(), stderr);
    } else {
        // "moldau topic create", under whatever name this program was started.
        std::string name = command.get_name();
        for (const CLI::App* above = command.get_parent(); above != nullptr;
             above = above->get_parent())
            name = above->get_name() + " " + name;
        cli::print_error(std::string(error.what()) + "\nTo see how: " + name + " --help");
    }
    return static_cast<int>(cli::Exit::usage);
}

}  // namespace

int main(int argc, char** argv) {
    // Debian's absl is built with its lock-order checks on: slow, and they would abort the process.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

    CLI::App app{"Moldau: an event-streaming broker that Kafka clients use unchanged.", "moldau"};
    app.set_version_flag("--version", "moldau " MOLDAU_VERSION);
    app.require_subcommand(1);
    cli::Chosen chosen;
    cli::add_serve(app, chosen);
    cli::add_local(app, chosen);
    cli::add_topic(app, chosen);
    cli::add_produce(app, chosen);
    cli::add_consume(app, chosen);
    cli::add_group(app, chosen);
    cli::add_broker(app, chosen);
    cli::add_partition(app, chosen);
    cli::add_cluster(app, chosen);
    cli::add_controller(app, chosen);
    cli::add_controller_transfer(app, chosen);
    cli::add_config(app, chosen);
    cli::add_lab(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return usage_error(app, error);
    }

    const base::Status status = chosen.run();
    if (!status.ok()) cli::print_error(base::message(status));
    if (std::fflush(stdout) != 0) {
        cli::print_error("the output could not be written");
        return static_cast<int>(cli::Exit::error);
    }
    return static_cast<int>(cli::exit_code(status));
}
