#include "cli/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace cli {
namespace {

constexpr uint16_t default_port = 9092;

base::Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto wrong = [&](const std::string& why) {
        return base::invalid("'" + std::string(text) + "' is not HOST:PORT: " + why);
    };
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const size_t end = text.find(']');
        if (end == std::string_view::npos) return wrong("the ']' is missing");
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && !port.starts_with(':')) return wrong("text after the ']'");
        if (!port.empty()) port.remove_prefix(1);
    } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty()) return wrong("the port is missing");
    }
    if (host.empty()) return wrong("the host is missing");
    Endpoint out{std::string(host), default_port};
    if (port.empty()) return out;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port == 0)
        return wrong("the port must be a number from 1 to 65535");
    return out;
}

/// Milliseconds to give to poll; 0 once the deadline has passed.
int remaining_ms(Deadline deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    constexpr int64_t most = 3'600'000;
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, most));
}

}  // namespace

std::string Endpoint::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<std::vector<Endpoint>> parse_endpoints(const std::string& text) {
    std::vector<Endpoint> out;
    for (size_t at = 0; at <= text.size();) {
        const size_t comma = std::min(text.find(',', at), text.size());
        ASSIGN_OR_RETURN(Endpoint one,
                         parse_endpoint(std::string_view(text).substr(at, comma - at)));
        out.push_back(std::move(one));
        at = comma + 1;
    }
    return out;
}

base::Result<Socket> Socket::connect(const Endpoint& to, Deadline deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(to.port);
    if (const int error = getaddrinfo(to.host.c_str(), port.c_str(), &hints, &found); error != 0)
        return base::unavailable("can't resolve the host name '" + to.host +
                                 "': " + gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);

    base::Status last = base::unavailable(to.host + " has no address");
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
        Socket socket(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), to);
        if (socket.descriptor_ < 0) {
            last = base::internal(std::string("can't make a socket: ") + std::strerror(errno));
            continue;
        }
        int error = ::connect(socket.descriptor_, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            last = socket.wait(POLLOUT, deadline);
            if (!last.ok()) continue;
            socklen_t size = sizeof error;
            getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error == 0) {
            const int on = 1;
            setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return socket;
        }
        last = base::unavailable("can't connect to " + to.text() + ": " + std::strerror(error));
    }
    return last;
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), peer_(std::move(other.peer_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(peer_, other.peer_);
    return *this;
}

Socket::~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
}

base::Status Socket::wait(short events, Deadline deadline) const {
    pollfd poll_for{descriptor_, events, 0};
    for (;;) {
        const int ready = ::poll(&poll_for, 1, remaining_ms(deadline));
        if (ready > 0) return base::ok();
        if (ready == 0) return absl::DeadlineExceededError(peer_.text() + " does not answer");
        if (errno != EINTR) return base::internal(std::string("poll: ") + std::strerror(errno));
    }
}

base::Status Socket::write(base::View bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = bytes.subspan(static_cast<size_t>(n));
        } else if (errno == EAGAIN) {
            RETURN_IF_ERROR(wait(POLLOUT, deadline));
        } else if (errno != EINTR) {
            return base::unavailable("the connection to " + peer_.text() +
                                     " broke: " + std::strerror(errno));
        }
    }
    return base::ok();
}

base::Status Socket::read(base::MutableView to, Deadline deadline) {
    while (!to.empty()) {
        const ssize_t n = ::recv(descriptor_, to.data(), to.size(), 0);
        if (n > 0) {
            to = to.subspan(static_cast<size_t>(n));
        } else if (n == 0) {
            return base::unavailable(peer_.text() + " closed the connection");
        } else if (errno == EAGAIN) {
            RETURN_IF_ERROR(wait(POLLIN, deadline));
        } else if (errno != EINTR) {
            return base::unavailable("the connection to " + peer_.text() +
                                     " broke: " + std::strerror(errno));
        }
    }
    return base::ok();
}

}  // namespace cli
