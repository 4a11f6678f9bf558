#include "cli/local/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace cli::local {
namespace {

namespace fs = std::filesystem;

/// The inode of the socket that listens on the port; see "/proc/net/tcp" in proc(5).
std::optional<std::string> listening_inode(const char* table, uint16_t port) {
    std::ifstream in(table);
    std::string line;
    std::getline(in, line);  // the head
    while (std::getline(in, line)) {
        std::istringstream columns(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            timeout >> inode;
        const size_t colon = local.rfind(':');
        constexpr const char* listen = "0A";
        if (state == listen && colon != std::string::npos &&
            std::stoul(local.substr(colon + 1), nullptr, 16) == port)
            return inode;
    }
    return std::nullopt;
}

bool holds(const fs::path& process, const std::string& socket) {
    std::error_code error;
    for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
         fd.increment(error)) {
        std::error_code ignored;  // it may have been closed meanwhile
        if (fs::read_symlink(*fd, ignored) == socket) return true;
    }
    return false;
}

/// "java (process 4711)", or nothing if it can't be found out.
std::string holder(uint16_t port) {
    auto inode = listening_inode("/proc/net/tcp", port);
    if (!inode) inode = listening_inode("/proc/net/tcp6", port);
    if (!inode) return "";
    const std::string socket = "socket:[" + *inode + "]";
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end;
         process.increment(error)) {
        const std::string name = process->path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (!holds(process->path(), socket)) continue;
        std::string program;
        std::getline(std::ifstream(process->path() / "comm"), program);
        return program + " (process " + name + ")";
    }
    return "";
}

}  // namespace

base::Status port_is_free(uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return base::internal(std::string("can't make a socket: ") + std::strerror(errno));
    const int on = 1;  // as a server does: connections of an earlier one may linger
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int error =
        bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    close(descriptor);
    if (error == 0) return base::ok();
    const std::string where = "port " + std::to_string(port) + " of 127.0.0.1";
    if (error != EADDRINUSE) return base::internal(where + ": " + std::strerror(error));
    const std::string who = holder(port);
    return base::already_exists(where + " is taken" + (who.empty() ? "" : " by " + who) +
                                "\nStop that, or choose another port with --port.");
}

}  // namespace cli::local
