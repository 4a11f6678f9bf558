#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "cli/command.h"
#include "cli/output.h"

namespace {

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
    // Help and version come as "errors" with code 0.
    return app.exit(error) == 0 ? 0 : static_cast<int>(cli::Exit::usage);
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
    cli::add_cluster(app, chosen);
    cli::add_config(app, chosen);
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
