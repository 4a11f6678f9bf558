#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace cli::local {

/// A process, named so that another one that got its number later is not mistaken for it.
struct Process {
    pid_t pid = 0;
    uint64_t start_ticks = 0;  // clock ticks from boot to its start: field 22 of /proc/PID/stat
    std::string boot;          // /proc/sys/kernel/random/boot_id

    /// The process that has this number now; nothing if none has.
    static std::optional<Process> running(pid_t pid);
    /// "PID TICKS BOOT", as in a pid file, and back.
    std::string text() const;
    static std::optional<Process> parse(const std::string& text);

    bool operator==(const Process&) const = default;
};

struct Look {
    bool paused = false;  // by SIGSTOP
    double uptime_seconds = 0;
    int64_t resident_bytes = 0;
};
/// How a process does; nothing if it is gone (a zombie is gone).
std::optional<Look> look(const Process& process);

/// kNotFound if it is gone. Never hits a stranger: the number is held while the start is compared.
base::Status send_signal(const Process& process, int signal);
/// Whether it is gone by then.
bool wait_until_gone(const Process& process, std::chrono::steady_clock::time_point deadline);

struct Launch {
    std::vector<std::string> arguments;  // the first one is the program's path
    std::string log_path;                // standard output and error are appended to it
    bool dies_with_parent = false;       // otherwise it is in a session of its own
};
/// Starts a program. It does not see the terminal's Ctrl-C.
base::Result<Process> launch(const Launch& how);

/// What a child of this process exited with, if it has; a signal that ended it is no exit code. The
/// child is collected by that.
std::optional<int> exit_code_of_child(const Process& process);
/// Collects children that have ended, so that they don't stay as zombies: pid and wait status.
std::vector<std::pair<pid_t, int>> reap_children();
/// "exit code 1", "signal 9 (Killed)".
std::string ending_text(int wait_status);

}  // namespace cli::local
