#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "broker/node.h"
#include "broker/settings.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "metadata/server_properties.h"

namespace cli {
namespace {

struct Serve {
    std::string config;
    std::vector<std::string> set;
    std::string log_level = "info";

    base::Status run() const;

  private:
    base::Result<metadata::ServerProperties> read() const;
};

std::map<std::string, std::string> environment_variables() {
    std::map<std::string, std::string> out;
    for (char** one = environ; *one != nullptr; ++one) {
        const std::string_view text = *one;
        const size_t equals = text.find('=');
        if (equals != std::string_view::npos)
            out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    out.erase("MOLDAU_BROKERS");  // tells the other commands where to connect
    return out;
}

/// Standard error, so that standard output has the ready line alone.
void log_to_stderr(const std::string& level) {
    auto logger = spdlog::stderr_color_mt("moldau");
    logger->set_level(spdlog::level::from_str(level));
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

base::Result<std::string> read_text(const std::string& path) {
    std::ifstream in(path);
    std::string text;
    std::array<char, 4096> piece;
    // Unlike the stream's iterators, read() does not throw where a directory is meant to be read.
    while (in.read(piece.data(), piece.size()), in.gcount() > 0)
        text.append(piece.data(), static_cast<size_t>(in.gcount()));
    if (!in.is_open() || in.bad())
        return base::not_found("can't read the configuration file " + path + ": " +
                               std::generic_category().message(errno));
    return text;
}

base::Result<metadata::ServerProperties> Serve::read() const {
    metadata::ConfigSources sources;
    sources.file_name = config;
    ASSIGN_OR_RETURN(sources.file_text, read_text(config));
    sources.environment = environment_variables();
    for (const std::string& one : set) {
        const size_t equals = one.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::invalid("--set " + one + ": it must be KEY=VALUE");
        sources.set.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    }
    return metadata::read_server_properties(sources);
}

base::Status Serve::run() const {
    log_to_stderr(log_level);
    ASSIGN_OR_RETURN(const metadata::ServerProperties properties, read());
    for (const auto& ignored : properties.ignored)
        spdlog::info("{}: {} is ignored: {}", ignored.from, ignored.key, ignored.why);
    const broker::Settings settings = broker::settings_from(properties);
    Signals signals;  // before the node starts its threads
    std::optional<int> signal;
    const auto stopping = [&] {
        if (!signal) signal = signals.wait(std::chrono::milliseconds(0));
        return signal.has_value();
    };
    auto started = broker::Node::start(settings, stopping);
    if (absl::IsCancelled(started.status())) {
        spdlog::info("{} (signal {})", base::message(started.status()), *signal);
        return base::ok();
    }
    ASSIGN_OR_RETURN(const auto node, std::move(started));
    std::string addresses;
    for (const std::string& one : node->addresses())
        addresses += (addresses.empty() ? "" : ",") + one;
    if (!settings.cluster.broker) addresses = settings.cluster.address;
    std::printf("ready: node %d of cluster %s serves on %s\n", settings.id.value,
                node->cluster_id().c_str(), addresses.c_str());
    std::fflush(stdout);
    constexpr std::chrono::hours as_long_as_it_takes{1};
    while (!signal) signal = signals.wait(as_long_as_it_takes);
    spdlog::info("stopping after signal {}", *signal);
    RETURN_IF_ERROR(node->stop());
    spdlog::info("stopped");
    return base::ok();
}

}  // namespace

void add_serve(CLI::App& app, Chosen& chosen) {
    auto [command, serve] =
        add_command<Serve>(app, chosen, "serve", "Run one node in the foreground");
    command->add_option("--config", serve->config, "A server.properties file")->required();
    command
        ->add_option("--set", serve->set,
                     "KEY=VALUE over file and environment, any number of times")
        ->expected(1)
        ->take_all();
    command->add_option("--log-level", serve->log_level, "What to tell on standard error")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical", "off"}))
        ->capture_default_str();
}

}  // namespace cli
