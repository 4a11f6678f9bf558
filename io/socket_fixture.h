#pragma once
// What the tests of sockets and of the listener share.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "io/memory_disk.h"
#include "io/posix_disk.h"
#include "io/run_on.h"
#include "io/socket.h"

namespace io {

/// A plain blocking client.
class Client {
  public:
    explicit Client(uint16_t port, int receive_buffer = 0) : Client() {
        if (receive_buffer > 0) {
            EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int)), 0);
        }
        connect(port);
    }
    Client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { EXPECT_GE(fd_, 0); }
    Client(Client&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
    ~Client() { close(); }

    void connect(uint16_t port) { EXPECT_TRUE(connects(port)) << std::strerror(errno); }
    bool connects(uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    void send(const std::string& text) {
        for (size_t done = 0; done < text.size();) {
            ssize_t n = ::send(fd_, text.data() + done, text.size() - done, MSG_NOSIGNAL);
            ASSERT_GT(n, 0);
            done += static_cast<size_t>(n);
        }
    }
    /// Up to `most` bytes; fewer only where the peer ended.
    std::string receive(size_t most) {
        std::string text(most, ' ');
        size_t done = 0;
        while (done < most) {
            ssize_t n = ::recv(fd_, text.data() + done, most - done, 0);
            if (n <= 0) break;
            done += static_cast<size_t>(n);
        }
        text.resize(done);
        return text;
    }
    /// Reads until the peer ends.
    void drain() {
        while (!receive(1 << 20).empty()) continue;
    }
    void end_sending() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void reset() {
        linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

  private:
    int fd_;
};

inline std::string random_text(size_t size, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::string text(size, ' ');
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = random();
        std::memcpy(text.data() + i, &word, std::min(size - i, sizeof word));
    }
    return text;
}

inline base::Slice slice(const std::string& text) {
    base::View bytes = base::as_bytes(text);
    return base::Slice(base::Bytes(bytes.begin(), bytes.end()));
}

/// What a completion said, and how often.
template <class T>
struct Outcome {
    std::promise<T> first;
    std::atomic<int> calls = 0;

    static std::shared_ptr<Outcome> make() { return std::make_shared<Outcome>(); }
    static base::Function<void(T)> completion(std::shared_ptr<Outcome> outcome) {
        return [outcome = std::move(outcome)](T value) {
            if (outcome->calls++ == 0) outcome->first.set_value(std::move(value));
        };
    }
    T wait() { return first.get_future().get(); }
};
using Written = Outcome<base::Status>;
using Read = Outcome<base::Result<size_t>>;

class SocketTest : public testing::Test {
  protected:
    SocketTest()
        : root_(std::filesystem::temp_directory_path() /
                ("moldau.socket." + std::to_string(::getpid()))) {
        EXPECT_TRUE(posix_->make_directories(root_).ok());
        EXPECT_TRUE(memory_.make_directories(root_).ok());
    }
    ~SocketTest() override {
        listener_.reset();
        shards_->stop();
        streams_.clear();
        EXPECT_TRUE(posix_->remove_all(root_).ok());
    }

    void listen(size_t shards, Listener::Accept accept) {
        shards_ = Shards::start(shards, 1);
        auto listener = Listener::start(*shards_, "127.0.0.1", 0, std::move(accept));
        ASSERT_TRUE(listener.ok()) << listener.status();
        listener_ = *std::move(listener);
        EXPECT_NE(listener_->port(), 0);
    }
    /// Listens and keeps the streams; next_stream() waits for one.
    void listen_and_keep(size_t shards = 1) {
        listen(shards, [this](std::unique_ptr<Stream> stream) {
            std::lock_guard lock(mutex_);
            streams_.push_back(std::move(stream));
        });
    }
    Stream& next_stream() {
        for (;;) {
            {
                std::lock_guard lock(mutex_);
                if (streams_.size() > taken_) return *streams_[taken_++];
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    static void on(Stream& stream, base::Function<void()> work) {
        run_on(stream.shard(), std::move(work));
    }
    static std::shared_ptr<Written> write(Stream& stream, std::vector<Piece> pieces) {
        auto outcome = Written::make();
        on(stream, [&] { stream.write(std::move(pieces), Written::completion(outcome)); });
        return outcome;
    }
    static std::shared_ptr<Read> read(Stream& stream, base::MutableView to) {
        auto outcome = Read::make();
        on(stream, [&] { stream.read_some(to, Read::completion(outcome)); });
        return outcome;
    }
    std::shared_ptr<File> file(Disk& disk, const std::string& name, const std::string& text) {
        auto file = disk.open(root_ + "/" + name, Open::create);
        EXPECT_TRUE(file.ok());
        base::View piece = base::as_bytes(text);
        EXPECT_TRUE((*file)->append({&piece, 1}).ok());
        return *std::move(file);
    }

    std::string root_;
    std::unique_ptr<Disk> posix_ = posix_disk();
    MemoryDisk memory_;
    std::unique_ptr<Shards> shards_;
    std::unique_ptr<Listener> listener_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Stream>> streams_;
    size_t taken_ = 0;
};

}  // namespace io
