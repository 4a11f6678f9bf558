#include "cli/local/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

extern "C" {  // glibc 2.36 leaves it out of this header
#include <sys/pidfd.h>
}

namespace cli::local {
namespace {

std::string file_text(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string boot_id() {
    std::string id = file_text("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

/// The parts of /proc/PID/stat that matter here: see proc(5).
struct Stat {
    char state = '?';
    uint64_t start_ticks = 0;
    int64_t resident_pages = 0;
};

std::optional<Stat> read_stat(pid_t pid) {
    const std::string text = file_text("/proc/" + std::to_string(pid) + "/stat");
    // The program's name, in brackets, may hold anything: go on after the last bracket.
    const size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(text.substr(name_end + 1));
    std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    constexpr size_t state = 0, start = 19, resident = 21;  // fields 3, 22 and 24 of the man page
    if (fields.size() <= resident) return std::nullopt;
    return Stat{fields[state][0], std::stoull(fields[start]), std::stoll(fields[resident])};
}

bool is_gone(char state) { return state == 'Z' || state == 'X'; }

/// A descriptor that stands for the process, or -1 if it is gone.
class Handle {
  public:
    explicit Handle(const Process& process) : descriptor_(pidfd_open(process.pid, 0)) {
        if (descriptor_ >= 0 && Process::running(process.pid) != process) {
            close(descriptor_);
            descriptor_ = -1;
        }
    }
    ~Handle() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

/// In the child, between fork and exec: only async-signal-safe calls. Returns on failure only.
void become(char* const* arguments, int log, int null, bool dies_with_parent, pid_t parent) {
    if (dies_with_parent) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);  // it died before the line above
    } else {
        setsid();
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return;
    // A broker that stays must not keep the locks and pipes of whoever started it.
    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    execv(arguments[0], arguments);
}

}  // namespace

std::optional<Process> Process::running(pid_t pid) {
    const auto stat = read_stat(pid);
    if (!stat || is_gone(stat->state)) return std::nullopt;
    return Process{pid, stat->start_ticks, boot_id()};
}

std::string Process::text() const {
    return std::to_string(pid) + " " + std::to_string(start_ticks) + " " + boot + "\n";
}

std::optional<Process> Process::parse(const std::string& text) {
    std::istringstream in(text);
    Process out;
    if (!(in >> out.pid >> out.start_ticks >> out.boot) || out.pid <= 0) return std::nullopt;
    return out;
}

std::optional<Look> look(const Process& process) {
    const auto stat = read_stat(process.pid);
    if (!stat || is_gone(stat->state) || stat->start_ticks != process.start_ticks ||
        boot_id() != process.boot)
        return std::nullopt;
    Look out;
    out.paused = stat->state == 'T';
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    double since_boot_seconds = 0;
    std::istringstream(file_text("/proc/uptime")) >> since_boot_seconds;
    out.uptime_seconds =
        std::max(0.0, since_boot_seconds - static_cast<double>(stat->start_ticks) / ticks);
    out.resident_bytes = stat->resident_pages * sysconf(_SC_PAGESIZE);
    return out;
}

base::Status send_signal(const Process& process, int signal) {
    const Handle handle(process);
    if (handle.descriptor() < 0)
        return base::not_found("process " + std::to_string(process.pid) + " is gone");
    if (pidfd_send_signal(handle.descriptor(), signal, nullptr, 0) == 0) return base::ok();
    if (errno == ESRCH)
        return base::not_found("process " + std::to_string(process.pid) + " is gone");
    return base::internal("can't signal process " + std::to_string(process.pid) + ": " +
                          std::strerror(errno));
}

bool wait_until_gone(const Process& process, std::chrono::steady_clock::time_point deadline) {
    const Handle handle(process);
    if (handle.descriptor() < 0) return true;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd ends{handle.descriptor(), POLLIN, 0};
        const int ready = poll(&ends, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
        if (ready > 0) return true;
        if (ready == 0) return false;
    }
}

base::Result<Process> launch(const Launch& how) {
    std::vector<char*> arguments;
    for (const std::string& a : how.arguments) arguments.push_back(const_cast<char*>(a.c_str()));
    arguments.push_back(nullptr);
    const int log = open(how.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        return base::internal("can't open the log " + how.log_path + ": " + std::strerror(errno));
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int failed[2];  // the child writes why exec failed; exec itself closes it
    if (null < 0 || pipe2(failed, O_CLOEXEC) != 0)
        return base::internal(std::string("can't start a process: ") + std::strerror(errno));

    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        become(arguments.data(), log, null, how.dies_with_parent, parent);
        const int error = errno;
        _exit(write(failed[1], &error, sizeof error) == sizeof error ? 127 : 126);
    }
    int error = pid < 0 ? errno : 0;
    close(log);
    close(null);
    close(failed[1]);
    if (pid > 0 && read(failed[0], &error, sizeof error) != sizeof error) error = 0;
    close(failed[0]);
    if (error != 0)
        return base::internal("can't start " + how.arguments[0] + ": " + std::strerror(error));
    // A process that has ended already is named all the same: it shows as gone.
    return Process::running(pid).value_or(Process{pid, 0, boot_id()});
}

std::optional<int> exit_code_of_child(const Process& process) {
    int status = 0;
    if (waitpid(process.pid, &status, WNOHANG) != process.pid || !WIFEXITED(status))
        return std::nullopt;
    return WEXITSTATUS(status);
}

std::vector<std::pair<pid_t, int>> reap_children() {
    std::vector<std::pair<pid_t, int>> out;
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) out.emplace_back(pid, status);
    return out;
}

std::string ending_text(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        const int signal = WTERMSIG(wait_status);
        return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
    }
    return "exit code " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace cli::local
