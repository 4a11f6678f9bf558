#include "cli/local/cluster.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/local/faults.h"
#include "cli/local/port.h"
#include "cli/quorum.h"

namespace cli::local {
namespace {

std::string name_of(const BrokerFolder& folder) { return "broker " + std::to_string(folder.id()); }

std::string address(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// Whether it serves, and tells clients of all brokers that are expected.
bool answers(const Member& member, const std::vector<int32_t>& expected) {
    constexpr std::chrono::seconds patience{1};
    auto client = KafkaClient::connect(address(member.settings.port),
                                       std::chrono::steady_clock::now() + patience);
    if (!client.ok()) return false;
    const auto metadata = client->metadata(std::vector<std::string>{});
    return metadata.ok() && std::ranges::all_of(expected, [&](int32_t id) {
               return std::ranges::find(
                          metadata->brokers, id,
                          &kafka::MetadataResponse::MetadataResponseBroker::node_id) !=
                      metadata->brokers.end();
           });
}

std::string end_of_log(const Started& started) {
    constexpr size_t lines = 15;
    const BrokerFolder& folder = started.member.folder;
    return ". The end of " + folder.log_path() + ":" + folder.log_tail(started.log_from, lines);
}

base::Status ended(const Started& started) {
    const std::string what =
        name_of(started.member.folder) + " ended before it served" + end_of_log(started);
    const bool refused = exit_code_of_child(started.process) == static_cast<int>(Exit::usage);
    return refused ? base::invalid(what) : base::internal(what);
}

std::vector<std::string> addresses(const Member& member, const std::string& voters) {
    const std::string kafka = "PLAINTEXT://" + address(member.settings.port);
    std::string all = kafka;
    if (member.settings.controller_port != 0)
        all += ",CONTROLLER://" + address(member.settings.controller_port);
    std::vector<std::string> out{"listeners=" + all, "advertised.listeners=" + kafka};
    if (voters.empty()) return out;
    out.push_back("controller.quorum.voters=" + voters);
    out.push_back("local.faults.file=" + Faults(member.folder.cluster_path()).path());
    return out;
}

}  // namespace

std::vector<Member> members(const std::vector<BrokerFolder>& folders) {
    std::vector<Member> out;
    for (const BrokerFolder& folder : folders)
        if (auto settings = folder.settings(); settings.ok())
            out.push_back({folder, *std::move(settings)});
    return out;
}

std::string voters(const std::vector<Member>& all) {
    std::string out;
    if (all.size() < 2) return out;
    for (const Member& m : all)
        if (m.settings.controller_port != 0)
            out += (out.empty() ? "" : ",") + std::to_string(m.folder.id()) + "@" +
                   address(m.settings.controller_port);
    return out;
}

uint16_t controller_port(uint16_t kafka_port) {
    constexpr uint16_t apart = 10'000;
    return static_cast<uint16_t>(kafka_port <= UINT16_MAX - apart ? kafka_port + apart
                                                                  : kafka_port - apart);
}

base::Status can_start(const std::vector<Member>& starting) {
    for (const Member& m : starting)
        if (const auto running = m.folder.process())
            return base::already_exists(name_of(m.folder) + " runs already, as process " +
                                        std::to_string(running->pid));
    for (const Member& m : starting) {
        RETURN_IF_ERROR(port_is_free(m.settings.port));
        if (m.settings.controller_port != 0)
            RETURN_IF_ERROR(port_is_free(m.settings.controller_port));
    }
    return base::ok();
}

base::Result<Started> start_broker(const Member& member, const std::string& voters,
                                   bool dies_with_parent) {
    const BrokerFolder& folder = member.folder;
    RETURN_IF_ERROR(folder.prepare(voters.empty()));
    const uint64_t log_from = folder.log_bytes();
    std::error_code error;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return base::internal("can't find this program's own file: " + error.message());
    Launch how;
    how.arguments = {self, "serve", "--config", folder.properties_path()};
    const auto set = [&](const std::string& one) {
        how.arguments.emplace_back("--set");
        how.arguments.push_back(one);
    };
    for (const std::string& one : addresses(member, voters)) set(one);
    for (const std::string& one : member.settings.set) set(one);
    how.log_path = folder.log_path();
    how.dies_with_parent = dies_with_parent;
    ASSIGN_OR_RETURN(const Process process, launch(how));
    RETURN_IF_ERROR(folder.remember(member.settings, process));
    return Started{member, process, log_from};
}

base::Status wait_until_ready(const std::vector<Started>& started,
                              const std::vector<int32_t>& expected, Deadline deadline,
                              base::Function<bool()>& interrupted) {
    constexpr std::chrono::milliseconds pause{10};
    size_t ready = 0;  // those before it serve
    while (ready < started.size()) {
        if (interrupted()) return absl::CancelledError("interrupted");
        for (const Started& one : started)
            if (!look(one.process)) return ended(one);
        if (answers(started[ready].member, expected)) {
            ++ready;
            continue;
        }
        if (std::chrono::steady_clock::now() > deadline)
            return absl::DeadlineExceededError(name_of(started[ready].member.folder) +
                                               " does not serve yet" + end_of_log(started[ready]));
        std::this_thread::sleep_for(pause);
    }
    return base::ok();
}

std::optional<int32_t> active_controller(const std::vector<Member>& all) {
    constexpr std::chrono::seconds patience{1};
    const Deadline deadline = std::chrono::steady_clock::now() + patience;
    // One that is cut off may not know yet that it was followed: the highest epoch is right.
    int32_t epoch = -1;
    std::optional<int32_t> out;
    for (const Member& member : all) {
        const auto process = member.folder.process();
        const auto seen = process ? look(*process) : std::nullopt;
        if (!seen || seen->paused) continue;
        auto client = KafkaClient::connect(address(member.settings.port), deadline);
        if (!client.ok()) continue;
        const auto quorum = describe_quorum(*client);
        if (!quorum.ok() || quorum->leader_id < 0 || quorum->leader_epoch <= epoch) continue;
        epoch = quorum->leader_epoch;
        out = quorum->leader_id;
    }
    return out;
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
