// What this machine can do at best: the bytes of a sender in three files, by three processes and
// plain sockets. The sender keeps 16 chunks of 1 MiB on the way to the leader, which writes them to
// its file and passes them on to two followers that write theirs; a chunk is acknowledged by one
// byte once all three have it, with `sync` once it is on the disk of all three.
//
//     moldau_pipeline FOLDER SECONDS [sync]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t chunk_bytes = 1 << 20;
constexpr int64_t window = 16;

/// What a system call returned, unless it failed: that ends the process.
template <class T>
T check(T returned, const char* what) {
    if (returned >= 0) return returned;
    std::perror(what);
    std::_Exit(1);
}

void set_no_delay(int fd) {
    const int on = 1;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
}

int listen_anywhere() {
    const int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    check(listen(fd, 1), "listen");
    return fd;
}

int accept_one(int listener) {
    const int fd = check(accept(listener, nullptr, nullptr), "accept");
    set_no_delay(fd);
    return fd;
}

int connect_to(int listener) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    check(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
    const int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    check(connect(fd, reinterpret_cast<sockaddr*>(&address), length), "connect");
    set_no_delay(fd);
    return fd;
}

/// Whether there was a whole one.
bool read_chunk(int fd, std::vector<char>& chunk) {
    for (size_t have = 0; have < chunk.size();) {
        const ssize_t count = check(read(fd, chunk.data() + have, chunk.size() - have), "read");
        if (count == 0) return false;
        have += static_cast<size_t>(count);
    }
    return true;
}

void write_all(int fd, const char* data, size_t size) {
    while (size > 0) {
        const auto count = static_cast<size_t>(check(write(fd, data, size), "write"));
        data += count;
        size -= count;
    }
}

/// How many more are acknowledged; 0 at the end.
int64_t read_acknowledged(int fd) {
    std::array<char, window> bytes{};
    return check(read(fd, bytes.data(), bytes.size()), "read");
}

void acknowledge(int fd, int64_t count) {
    constexpr std::array<char, window> bytes{};
    write_all(fd, bytes.data(), static_cast<size_t>(count));
}

/// A file that chunks are added to; tells how many more are safe in it.
template <class Safe>
class File {
  public:
    File(const std::string& path, bool sync, Safe safe)
        : path_(path),
          fd_(check(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), "open")),
          safe_(safe) {
        if (sync) syncing_ = std::thread([this] { sync_all(); });
    }
    ~File() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        more_.notify_one();
        if (syncing_.joinable()) syncing_.join();
        close(fd_);
        unlink(path_.c_str());
    }

    void add(const std::vector<char>& chunk) {
        write_all(fd_, chunk.data(), chunk.size());
        if (!syncing_.joinable()) return safe_(1);
        {
            const std::lock_guard lock(mutex_);
            ++written_;
        }
        more_.notify_one();
    }

  private:
    /// One sync for all that came during the one before.
    void sync_all() {
        std::unique_lock lock(mutex_);
        for (;;) {
            more_.wait(lock, [&] { return ended_ || written_ > 0; });
            if (written_ == 0) return;
            const int64_t count = std::exchange(written_, 0);
            lock.unlock();
            check(fdatasync(fd_), "fdatasync");
            safe_(count);
            lock.lock();
        }
    }

    std::string path_;
    int fd_;
    Safe safe_;
    std::mutex mutex_;
    std::condition_variable more_;
    int64_t written_ = 0;  // and not yet synced
    bool ended_ = false;
    std::thread syncing_;
};

void follow(int listener, const std::string& path, bool sync) {
    const int leader = accept_one(listener);
    File file(path, sync, [=](int64_t count) { acknowledge(leader, count); });
    std::vector<char> chunk(chunk_bytes);
    while (read_chunk(leader, chunk)) file.add(chunk);
}

/// Passes on to the sender what all three have.
class Acknowledgements {
  public:
    explicit Acknowledgements(int sender) : sender_(sender) {}
    void add(size_t who, int64_t count) {
        const std::lock_guard lock(mutex_);
        have_[who] += count;
        const int64_t all = *std::ranges::min_element(have_);
        if (all > told_) acknowledge(sender_, all - std::exchange(told_, all));
    }

  private:
    int sender_;
    std::mutex mutex_;
    std::array<int64_t, 3> have_{};
    int64_t told_ = 0;
};

void lead(int listener, const std::array<int, 2>& followers, const std::string& path, bool sync) {
    const std::array<int, 2> to{connect_to(followers[0]), connect_to(followers[1])};
    const int sender = accept_one(listener);
    Acknowledgements acknowledgements(sender);
    std::vector<std::thread> readers;
    for (size_t i = 0; i < to.size(); ++i) {
        readers.emplace_back([&, i] {
            while (const int64_t count = read_acknowledged(to[i])) acknowledgements.add(i, count);
        });
    }
    {
        File file(path, sync, [&](int64_t count) { acknowledgements.add(2, count); });
        std::vector<char> chunk(chunk_bytes);
        while (read_chunk(sender, chunk)) {
            for (const int fd : to) write_all(fd, chunk.data(), chunk.size());
            file.add(chunk);
        }
    }
    for (const int fd : to) shutdown(fd, SHUT_WR);
    for (std::thread& reader : readers) reader.join();
}

/// Chunks that were acknowledged within `seconds`, and the few on their way.
int64_t send(int leader, double seconds) {
    std::vector<char> chunk(chunk_bytes);
    std::mt19937_64 random(1);
    for (char& byte : chunk) byte = static_cast<char>(random());
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    int64_t sent = 0, acknowledged = 0;
    while (Clock::now() < end) {
        if (sent - acknowledged < window) {
            write_all(leader, chunk.data(), chunk.size());
            ++sent;
        } else {
            acknowledged += read_acknowledged(leader);
        }
    }
    while (acknowledged < sent) {
        const int64_t more = read_acknowledged(leader);
        if (more == 0) std::_Exit(1);  // the leader has said why
        acknowledged += more;
    }
    return acknowledged;
}

template <class Work>
void in_child(Work work) {
    if (check(fork(), "fork") != 0) return;
    work();
    std::_Exit(0);
}

double cpu_seconds(int who) {
    rusage used{};
    getrusage(who, &used);
    const auto seconds = [](timeval t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4 || (argc == 4 && std::string(argv[3]) != "sync")) {
        std::fprintf(stderr, "usage: moldau_pipeline FOLDER SECONDS [sync]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const bool sync = argc == 4;
    const std::array<int, 2> followers{listen_anywhere(), listen_anywhere()};
    const int leader_listener = listen_anywhere();
    for (size_t i = 0; i < followers.size(); ++i)
        in_child([&] { follow(followers[i], folder + "/follower-" + std::to_string(i), sync); });
    in_child([&] { lead(leader_listener, followers, folder + "/leader", sync); });

    const int leader = connect_to(leader_listener);
    const auto begin = Clock::now();
    const int64_t chunks = send(leader, std::atof(argv[2]));
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    close(leader);
    int failed = 0;
    for (int status = 0; wait(&status) > 0;) failed |= status;
    const double megabytes = static_cast<double>(chunks) * chunk_bytes / 1e6;
    std::printf("{\"mb_per_s\": %.1f, \"seconds\": %.3f, \"cpu_seconds\": %.2f}\n",
                megabytes / took, took, cpu_seconds(RUSAGE_CHILDREN) + cpu_seconds(RUSAGE_SELF));
    return failed == 0 ? 0 : 1;
}
