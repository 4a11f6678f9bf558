#include "cli/local/foreground.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/local/faults.h"
#include "cli/output.h"

namespace cli::local {
namespace {

constexpr std::chrono::seconds stop_patience{30};

/// This program as one would type it here.
std::string own_name() {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    const fs::path near = fs::proximate(self, error);
    return error || near.begin() == near.end() || *near.begin() == ".." ? self : near;
}

}  // namespace

Foreground::Foreground(std::string cluster_path, std::vector<Member> all, bool detach)
    : path_(std::move(cluster_path)), all_(std::move(all)), detach_(detach) {
    for (const Member& member : all_) folders_.push_back(member.folder);
}

base::Status Foreground::start(Deadline deadline) {
    ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(path_));
    for (const BrokerFolder& folder : folders_)
        if (const auto process = folder.process())
            return base::already_exists(
                "a cluster runs in " + path_ + " already: broker " + std::to_string(folder.id()) +
                " is process " + std::to_string(process->pid) + "\nTo see it: " + own_name() +
                " local status --dir " + path_ + ". To stop it: " + own_name() +
                " local stop --dir " + path_ + ". For another beside it: --dir and --port.");
    RETURN_IF_ERROR(can_start(all_));
    RETURN_IF_ERROR(Faults(path_).heal_all());
    const base::Status started = start_each(deadline);
    if (!started.ok()) {
        stop();
        return started;
    }
    for (const BrokerFolder& folder : folders_) seen_.push_back(folder.process());
    tell_ready();
    return base::ok();
}

base::Status Foreground::start_each(Deadline deadline) {
    const std::string everybody = voters(all_);
    std::vector<Started> started;
    std::vector<int32_t> ids;
    for (const Member& member : all_) {
        ASSIGN_OR_RETURN(Started one, start_broker(member, everybody, !detach_));
        started.push_back(std::move(one));
        ids.push_back(member.folder.id());
    }
    base::Function<bool()> interrupted = [this] {
        return signals_.wait(std::chrono::milliseconds{0}).has_value();
    };
    return wait_until_ready(started, ids, deadline, interrupted);
}

void Foreground::tell_ready() const {
    std::string bootstrap;
    for (const Member& one : all_)
        bootstrap +=
            (bootstrap.empty() ? "" : ",") + ("localhost:" + std::to_string(one.settings.port));
    const std::string self = own_name();
    std::printf("ready\n  bootstrap  %s\n  data       %s\n  try        %s produce test -b %s\n",
                bootstrap.c_str(), path_.c_str(), self.c_str(), bootstrap.c_str());
    if (detach_) std::printf("  stop       %s local stop --dir %s\n", self.c_str(), path_.c_str());
    else std::printf("Ctrl-C stops it.\n");
    std::fflush(stdout);
}

base::Status Foreground::watch() {
    constexpr std::chrono::milliseconds pause{200};
    for (;;) {
        if (signals_.wait(pause)) break;
        tell_changes();
        if (std::none_of(folders_.begin(), folders_.end(),
                         [](const BrokerFolder& f) { return f.has_pid_file(); })) {
            // Stopped from elsewhere, unless a restart is at work: that one holds the lock.
            const auto lock = CommandLock::take(path_);
            if (lock.ok() && std::none_of(folders_.begin(), folders_.end(),
                                          [](const BrokerFolder& f) { return f.has_pid_file(); }))
                return base::ok();
        }
    }
    std::printf("\nstopping\n");
    std::fflush(stdout);
    stop();
    std::printf("stopped\n");
    return base::ok();
}

void Foreground::tell_changes() {
    std::map<pid_t, int> ended;
    for (const auto& [pid, status] : reap_children()) ended[pid] = status;
    for (size_t i = 0; i < folders_.size(); ++i) {
        const auto now = folders_[i].process();
        if (now == seen_[i]) continue;
        const int32_t id = folders_[i].id();
        if (seen_[i]) {
            const auto how = ended.find(seen_[i]->pid);
            std::printf("broker %d ended%s%s\n", id, how == ended.end() ? "" : ": ",
                        how == ended.end() ? "" : ending_text(how->second).c_str());
            if (!now && folders_[i].has_pid_file())
                std::printf("  its log     %s\n  to start it %s local start %d --dir %s\n",
                            folders_[i].log_path().c_str(), own_name().c_str(), id, path_.c_str());
        }
        if (now) std::printf("broker %d runs again (process %d)\n", id, now->pid);
        seen_[i] = now;
    }
    std::fflush(stdout);
}

void Foreground::stop() const {
    const auto killed = stop_brokers(folders_, std::chrono::steady_clock::now() + stop_patience);
    if (!killed.empty())
        std::printf("broker %s did not end in time and was killed\n", joined(killed).c_str());
}

}  // namespace cli::local
