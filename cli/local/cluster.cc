#include "cli/local/cluster.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cli/kafka_client.h"
#include "cli/local/port.h"

namespace cli::local {
namespace {

std::string name_of(const BrokerFolder& folder) { return "broker " + std::to_string(folder.id()); }

/// Whether it serves: it is among the brokers that it tells clients of.
bool answers(const BrokerFolder& folder, uint16_t port) {
    constexpr std::chrono::seconds patience{1};
    auto client = KafkaClient::connect("127.0.0.1:" + std::to_string(port),
                                       std::chrono::steady_clock::now() + patience);
    if (!client.ok()) return false;
    const auto metadata = client->metadata(std::vector<std::string>{});
    return metadata.ok() && std::any_of(metadata->brokers.begin(), metadata->brokers.end(),
                                        [&](const auto& b) { return b.node_id == folder.id(); });
}

}  // namespace

base::Result<Process> start_broker(const BrokerFolder& folder, const LaunchSettings& settings,
                                   bool dies_with_parent) {
    if (const auto running = folder.process())
        return base::already_exists(name_of(folder) + " runs already, as process " +
                                    std::to_string(running->pid));
    RETURN_IF_ERROR(port_is_free(settings.port));
    RETURN_IF_ERROR(folder.prepare());
    std::error_code error;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return base::internal("can't find this program's own file: " + error.message());
    const std::string address = "127.0.0.1:" + std::to_string(settings.port);
    Launch how;
    how.arguments = {self,       "serve",
                     "--config", folder.properties_path(),
                     "--set",    "listeners=PLAINTEXT://" + address,
                     "--set",    "advertised.listeners=PLAINTEXT://" + address};
    for (const std::string& one : settings.set) {
        how.arguments.emplace_back("--set");
        how.arguments.push_back(one);
    }
    how.log_path = folder.log_path();
    how.dies_with_parent = dies_with_parent;
    ASSIGN_OR_RETURN(const Process process, launch(how));
    RETURN_IF_ERROR(folder.remember(settings, process));
    return process;
}

base::Status wait_until_ready(const BrokerFolder& folder, const Process& process, uint64_t log_from,
                              Deadline deadline, base::Function<bool()>& interrupted) {
    ASSIGN_OR_RETURN(const LaunchSettings settings, folder.settings());
    constexpr std::chrono::milliseconds pause{20};
    constexpr size_t log_lines = 15;
    while (!answers(folder, settings.port)) {
        if (interrupted()) return absl::CancelledError("interrupted");
        if (!look(process))
            return base::internal(name_of(folder) + " ended before it served. The end of " +
                                  folder.log_path() + ":" + folder.log_tail(log_from, log_lines));
        if (std::chrono::steady_clock::now() > deadline)
            return absl::DeadlineExceededError(
                name_of(folder) + " does not serve yet. The end of " + folder.log_path() + ":" +
                folder.log_tail(log_from, log_lines));
        std::this_thread::sleep_for(pause);
    }
    return base::ok();
}

std::vector<int32_t> stop_brokers(const std::vector<BrokerFolder>& folders, Deadline deadline) {
    std::vector<std::pair<int32_t, Process>> ending;
    for (const BrokerFolder& folder : folders) {
        const auto process = folder.process();
        if (!process) continue;
        // A process that has just ended is what is wanted: failures to signal don't matter.
        send_signal(*process, SIGTERM).IgnoreError();
        send_signal(*process, SIGCONT).IgnoreError();
        ending.emplace_back(folder.id(), *process);
    }
    // Before they end: who watches the files must not take it for a crash.
    for (const BrokerFolder& folder : folders) folder.forget_process();
    std::vector<int32_t> killed;
    for (const auto& [id, process] : ending) {
        if (wait_until_gone(process, deadline)) continue;
        send_signal(process, SIGKILL).IgnoreError();
        constexpr std::chrono::seconds patience{10};
        wait_until_gone(process, std::chrono::steady_clock::now() + patience);
        killed.push_back(id);
    }
    return killed;
}

}  // namespace cli::local
