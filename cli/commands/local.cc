#include <signal.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/local/foreground.h"
#include "cli/output.h"

namespace cli {
namespace {

using local::BrokerFolder;
using local::CommandLock;
using local::LaunchSettings;
using local::Process;

constexpr uint16_t first_port = 9092;

/// What every `local` command knows: where the cluster lies.
struct Directory {
    std::string path = "./.moldau";

    std::string absolute() const {
        return std::filesystem::absolute(path).lexically_normal().string();
    }
    void add_option(CLI::App& command) {
        command.add_option("--dir", path, "Where the cluster's data lies")->capture_default_str();
    }
    base::Result<BrokerFolder> broker(int32_t id) const {
        ASSIGN_OR_RETURN(const auto all, local::find_brokers(absolute()));
        for (const BrokerFolder& folder : all)
            if (folder.id() == id) return folder;
        return base::not_found("there is no broker " + std::to_string(id) + " in " + absolute() +
                               "\nTo see which are: moldau local status --dir " + path);
    }
};

base::Result<Process> running(const BrokerFolder& folder) {
    if (const auto process = folder.process()) return *process;
    const std::string id = std::to_string(folder.id());
    return base::precondition("broker " + id + " does not run\nTo start it: moldau local start " +
                              id);
}

std::string killed_text(const std::vector<int32_t>& killed) {
    return killed.empty()
               ? ""
               : " (had to kill broker " + joined(killed) + ", which did not end in time)";
}

struct Start {
    Directory directory;
    Common common;
    int brokers = 1;
    std::optional<uint16_t> port;
    std::optional<int32_t> only;
    bool detach = false;
    std::vector<std::string> set;

    base::Status run() const {
        if (brokers > 1)
            return base::invalid("only one broker is supported yet\nLeave --brokers out.");
        if (only) return start_one();
        return start_all();
    }

    /// The port is that of last time unless another is asked for. Options of last time hold only
    /// where one broker comes back into a cluster that goes on, never for a cluster begun anew.
    base::Result<LaunchSettings> settings_of(const BrokerFolder& folder) const {
        const auto last = folder.settings();
        LaunchSettings out = last.ok() ? *last : LaunchSettings{};
        if (!last.ok()) out.port = static_cast<uint16_t>(first_port + folder.id());
        if (port) {
            if (*port > UINT16_MAX - folder.id())
                return base::invalid("--port " + std::to_string(*port) + " is too high");
            out.port = static_cast<uint16_t>(*port + folder.id());
        }
        if (!only || !set.empty()) out.set = set;
        return out;
    }

    base::Status start_one() const {
        ASSIGN_OR_RETURN(const BrokerFolder folder, directory.broker(*only));
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(directory.absolute()));
        ASSIGN_OR_RETURN(const LaunchSettings settings, settings_of(folder));
        const uint64_t log_from = folder.log_bytes();
        ASSIGN_OR_RETURN(const Process process, local::start_broker(folder, settings, false));
        base::Function<bool()> never = [] { return false; };
        RETURN_IF_ERROR(
            local::wait_until_ready(folder, process, log_from, common.deadline(), never));
        std::printf("broker %d serves on localhost:%u (process %d)\n", folder.id(), settings.port,
                    process.pid);
        return base::ok();
    }

    base::Status start_all() const {
        const std::string path = directory.absolute();
        std::error_code error;
        std::filesystem::create_directories(path, error);
        if (error) return base::internal("can't make " + path + ": " + error.message());
        const BrokerFolder folder(path, 0);
        ASSIGN_OR_RETURN(const LaunchSettings settings, settings_of(folder));
        local::Foreground foreground(path, {folder}, detach);
        RETURN_IF_ERROR(foreground.start({settings}, common.deadline()));
        return detach ? base::ok() : foreground.watch();
    }
};

struct Status {
    Directory directory;
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(const auto folders, local::find_brokers(directory.absolute()));
        Table table({"BROKER", "STATE", "PID", "ADDRESS", "UPTIME", "MEMORY", "DATA"});
        auto json = nlohmann::ordered_json::array();
        for (const BrokerFolder& folder : folders) add(folder, table, json);
        if (common.format == Format::json) print_json(json);
        else table.print();
        return base::ok();
    }

    static void add(const BrokerFolder& folder, Table& table, nlohmann::ordered_json& json) {
        const auto settings = folder.settings();
        const auto process = folder.process();
        const bool runs = process.has_value();
        const local::Look look =
            runs ? local::look(*process).value_or(local::Look{}) : local::Look{};
        const std::string state = !runs ? "stopped" : look.paused ? "paused" : "running";
        nlohmann::ordered_json row{{"broker", folder.id()}, {"state", state}};
        row["pid"] = runs ? nlohmann::ordered_json(process->pid) : nullptr;
        row["address"] = settings.ok()
                             ? nlohmann::ordered_json("localhost:" + std::to_string(settings->port))
                             : nullptr;
        row["uptime_seconds"] =
            runs ? nlohmann::ordered_json(std::round(look.uptime_seconds * 100) / 100) : nullptr;
        row["memory_bytes"] = runs ? nlohmann::ordered_json(look.resident_bytes) : nullptr;
        row["data"] = folder.data_path();
        row["log"] = folder.log_path();
        table.add({std::to_string(folder.id()), state, runs ? std::to_string(process->pid) : "-",
                   settings.ok() ? row["address"].get<std::string>() : "-",
                   runs ? std::to_string(static_cast<int64_t>(look.uptime_seconds)) + " s" : "-",
                   runs ? bytes_text(look.resident_bytes) : "-", folder.data_path()});
        json.push_back(std::move(row));
    }
};

struct Stop {
    Directory directory;
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(const auto folders, local::find_brokers(directory.absolute()));
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(directory.absolute()));
        const auto killed = local::stop_brokers(folders, common.deadline());
        std::printf("stopped%s\n", killed_text(killed).c_str());
        return base::ok();
    }
};

/// kill, pause and resume: a signal to one broker.
struct Send {
    Directory directory;
    int32_t id = 0;
    int signal = 0;
    std::string done;

    base::Status run() const {
        ASSIGN_OR_RETURN(const BrokerFolder folder, directory.broker(id));
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(directory.absolute()));
        ASSIGN_OR_RETURN(const Process process, running(folder));
        RETURN_IF_ERROR(local::send_signal(process, signal));
        constexpr std::chrono::seconds patience{10};
        if (signal == SIGKILL &&
            !local::wait_until_gone(process, std::chrono::steady_clock::now() + patience))
            return absl::DeadlineExceededError("broker " + std::to_string(id) +
                                               " is still there, though killed");
        std::printf("broker %d %s (process %d)\n", id, done.c_str(), process.pid);
        return base::ok();
    }
};

struct Restart {
    Directory directory;
    Common common;
    int32_t id = 0;

    base::Status run() const {
        ASSIGN_OR_RETURN(const BrokerFolder folder, directory.broker(id));
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(directory.absolute()));
        ASSIGN_OR_RETURN(const LaunchSettings settings, folder.settings());
        local::stop_brokers({folder}, common.deadline());
        const uint64_t log_from = folder.log_bytes();
        ASSIGN_OR_RETURN(const Process process, local::start_broker(folder, settings, false));
        base::Function<bool()> never = [] { return false; };
        RETURN_IF_ERROR(
            local::wait_until_ready(folder, process, log_from, common.deadline(), never));
        std::printf("broker %d serves again on localhost:%u (process %d)\n", id, settings.port,
                    process.pid);
        return base::ok();
    }
};

void add_start(CLI::App& local, Chosen& chosen) {
    auto [command, start] = add_command<Start>(
        local, chosen, "start",
        "Start a cluster on this machine, or with ID one broker of it that does not run");
    command->add_option("ID", start->only, "The broker to start again")->check(at_least(0));
    command->add_option("--brokers", start->brokers, "How many, each a process of its own")
        ->check(at_least(1))
        ->capture_default_str();
    start->directory.add_option(*command);
    command
        ->add_option("--port", start->port,
                     "Kafka port of broker 0, the others follow (default: as last time, or 9092)")
        ->check(CLI::Range(1, UINT16_MAX));
    command->add_flag("--detach", start->detach, "Return once every broker serves");
    command
        ->add_option("--set", start->set,
                     "key=value over the brokers' server.properties, until the cluster stops")
        ->expected(1)
        ->take_all();
    add_timeout_option(*command, start->common, "Seconds that the brokers have to come up");
}

void add_send(CLI::App& local, Chosen& chosen, const std::string& name, int signal,
              const std::string& done, const std::string& text) {
    auto [command, send] = add_command<Send>(local, chosen, name, text);
    send->signal = signal;
    send->done = done;
    send->directory.add_option(*command);
    command->add_option("ID", send->id, "The broker")->required()->check(at_least(0));
}

}  // namespace

void add_local(CLI::App& app, Chosen& chosen) {
    CLI::App* local = app.add_subcommand("local", "Run a cluster on this machine");
    local->require_subcommand(1);
    add_start(*local, chosen);

    auto [status, status_options] =
        add_command<Status>(*local, chosen, "status", "Show the brokers' processes");
    status_options->directory.add_option(*status);
    add_format_option(*status, status_options->common);

    auto [stop, stop_options] =
        add_command<Stop>(*local, chosen, "stop", "Stop all brokers cleanly");
    stop_options->directory.add_option(*stop);
    add_timeout_option(*stop, stop_options->common, "Seconds until a broker is killed");

    auto [restart, restart_options] = add_command<Restart>(
        *local, chosen, "restart", "Stop one broker cleanly and start it again");
    restart_options->directory.add_option(*restart);
    restart->add_option("ID", restart_options->id, "The broker")->required()->check(at_least(0));
    add_timeout_option(*restart, restart_options->common, "Seconds for each of the two");

    add_send(*local, chosen, "kill", SIGKILL, "killed", "End one broker at once (SIGKILL)");
    add_send(*local, chosen, "pause", SIGSTOP, "paused", "Freeze one broker (SIGSTOP)");
    add_send(*local, chosen, "resume", SIGCONT, "resumed", "Let a frozen broker go on (SIGCONT)");
}

}  // namespace cli
