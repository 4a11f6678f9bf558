#include "cli/commands/local.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/local/foreground.h"
#include "cli/output.h"

namespace cli {
namespace {

using local::BrokerFolder;
using local::CommandLock;
using local::LaunchSettings;
using local::Member;
using local::Process;

constexpr uint16_t first_port = 9092;
constexpr int32_t default_brokers = 3;

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

/// Starts one broker of a cluster, with every other as it was started last.
struct BringUp {
    Directory directory;
    Common common;
    std::string told = "serves";

    base::Status run(const Member& member) const {
        ASSIGN_OR_RETURN(const auto folders, local::find_brokers(directory.absolute()));
        std::vector<Member> all{member};
        size_t running = 1;
        for (Member& other : local::members(folders)) {
            if (other.folder.id() == member.folder.id()) continue;
            if (other.folder.process()) ++running;
            all.push_back(std::move(other));
        }
        std::ranges::sort(all, {}, [](const Member& m) { return m.folder.id(); });
        RETURN_IF_ERROR(local::can_start({member}));
        ASSIGN_OR_RETURN(const local::Started started,
                         local::start_broker(member, local::voters(all), false));
        const size_t majority = all.size() / 2 + 1;
        if (running < majority) {
            std::printf("broker %d started (process %d); it serves once %zu of the %zu run\n",
                        member.folder.id(), started.process.pid, majority, all.size());
            return base::ok();
        }
        base::Function<bool()> never = [] { return false; };
        RETURN_IF_ERROR(
            local::wait_until_ready({started}, {member.folder.id()}, common.deadline(), never));
        std::printf("broker %d %s on localhost:%u (process %d)\n", member.folder.id(), told.c_str(),
                    member.settings.port, started.process.pid);
        return base::ok();
    }
};

struct Start {
    Directory directory;
    Common common;
    std::optional<int32_t> brokers;
    std::optional<uint16_t> port;
    std::optional<int32_t> only;
    bool detach = false;
    std::vector<std::string> set;

    base::Status run() const {
        if (only) return start_one();
        return start_all();
    }

    /// The ports are those of last time unless another is asked for. Options of last time hold only
    /// where one broker comes back into a cluster that goes on, never for a cluster begun anew.
    base::Result<LaunchSettings> settings_of(const BrokerFolder& folder) const {
        const auto last = folder.settings();
        LaunchSettings out = last.ok() ? *last : LaunchSettings{};
        if (!last.ok() || port) {
            const uint16_t first = port.value_or(first_port);
            if (first > UINT16_MAX - folder.id())
                return base::invalid("--port " + std::to_string(first) + " is too high");
            out.port = static_cast<uint16_t>(first + folder.id());
        }
        if (!only || !set.empty()) out.set = set;
        return out;
    }

    base::Status start_one() const {
        if (brokers) return base::invalid("--brokers is of the whole cluster\nLeave it or ID out.");
        ASSIGN_OR_RETURN(const BrokerFolder folder, directory.broker(*only));
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(directory.absolute()));
        ASSIGN_OR_RETURN(const LaunchSettings settings, settings_of(folder));
        return BringUp{directory, common}.run({folder, settings});
    }

    /// How many brokers the directory is for: those that it has, or as asked.
    base::Result<int32_t> size(const std::string& path) const {
        const auto there = local::find_brokers(path);
        if (!there.ok()) return brokers.value_or(default_brokers);
        const int32_t size = there->back().id() + 1;
        if (brokers && *brokers != size)
            return base::precondition(
                path + " has a cluster of " + counted(size, "broker") +
                "\nTo start that: leave --brokers out. For another beside it: --dir and --port.");
        return size;
    }

    base::Status start_all() const {
        const std::string path = directory.absolute();
        ASSIGN_OR_RETURN(const int32_t count, size(path));
        std::vector<Member> all;
        for (int32_t id = 0; id < count; ++id) {
            const BrokerFolder folder(path, id);
            ASSIGN_OR_RETURN(LaunchSettings settings, settings_of(folder));
            if (settings.controller_port == 0 || port)
                settings.controller_port = local::controller_port(settings.port);
            all.push_back({folder, std::move(settings)});
        }
        std::error_code error;
        std::filesystem::create_directories(path, error);
        if (error) return base::internal("can't make " + path + ": " + error.message());
        local::Foreground foreground(path, std::move(all), detach);
        RETURN_IF_ERROR(foreground.start(common.deadline()));
        return detach ? base::ok() : foreground.watch();
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
        return BringUp{directory, common, "serves again"}.run({folder, settings});
    }
};

void add_start(CLI::App& local, Chosen& chosen) {
    auto [command, start] = add_command<Start>(
        local, chosen, "start",
        "Start a cluster on this machine, or with ID one broker of it that does not run");
    command->add_option("ID", start->only, "The broker to start again")->check(at_least(0));
    command
        ->add_option("--brokers", start->brokers,
                     "How many, each a process of its own (default: as there are, or " +
                         std::to_string(default_brokers) + ")")
        ->check(at_least(1));
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

std::string Directory::absolute() const {
    return std::filesystem::absolute(path).lexically_normal().string();
}

void Directory::add_option(CLI::App& command) {
    command.add_option("--dir", path, "Where the cluster's data lies")->capture_default_str();
}

base::Result<BrokerFolder> Directory::broker(int32_t id) const {
    ASSIGN_OR_RETURN(const auto all, local::find_brokers(absolute()));
    for (const BrokerFolder& folder : all)
        if (folder.id() == id) return folder;
    return base::not_found("there is no broker " + std::to_string(id) + " in " + absolute() +
                           "\nTo see which are: moldau local status --dir " + path);
}

void add_local(CLI::App& app, Chosen& chosen) {
    CLI::App* local = app.add_subcommand("local", "Run a cluster on this machine");
    local->require_subcommand(1);
    add_start(*local, chosen);

    add_local_status(*local, chosen);

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
    add_local_links(*local, chosen);
}

}  // namespace cli
