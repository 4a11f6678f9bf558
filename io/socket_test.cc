#include "io/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
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

namespace io {
namespace {

using namespace std::chrono_literals;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

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

std::string random_text(size_t size, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::string text(size, ' ');
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = random();
        std::memcpy(text.data() + i, &word, std::min(size - i, sizeof word));
    }
    return text;
}

base::Slice slice(const std::string& text) {
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
            std::this_thread::sleep_for(1ms);
        }
    }
    static void on(Stream& stream, base::Function<void()> work) {
        std::promise<void> done;
        stream.shard().post([&] {
            work();
            done.set_value();
        });
        done.get_future().get();
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

/// Sends back what it receives; owns itself until the peer ends.
class Echo : public std::enable_shared_from_this<Echo> {
  public:
    explicit Echo(std::unique_ptr<Stream> stream) : stream_(std::move(stream)), buffer_(100'000) {}
    void read() {
        stream_->read_some(buffer_, [self = shared_from_this()](base::Result<size_t> n) {
            if (!n.ok() || *n == 0) return self->stream_->close();
            auto from = self->buffer_.begin();
            base::Bytes bytes(from, from + static_cast<ptrdiff_t>(*n));
            self->stream_->write({base::Slice(std::move(bytes))}, [self](base::Status status) {
                if (status.ok()) self->read();
            });
        });
    }

  private:
    std::unique_ptr<Stream> stream_;
    base::Bytes buffer_;
};

TEST_F(SocketTest, EchoesLargePayloadsOnEveryShard) {
    listen(3, [](std::unique_ptr<Stream> stream) {
        EXPECT_TRUE(stream->shard().here());
        std::make_shared<Echo>(std::move(stream))->read();
    });
    std::vector<std::thread> clients;
    for (uint64_t i = 0; i < 6; ++i) {
        clients.emplace_back([port = listener_->port(), i] {
            Client client(port);
            std::string text = random_text(3'000'000 + i, i);
            std::thread sender([&] {
                client.send(text);
                client.end_sending();
            });
            EXPECT_TRUE(client.receive(text.size() + 1) == text);
            sender.join();
        });
    }
    for (auto& client : clients) client.join();
}

TEST_F(SocketTest, HandsConnectionsToTheShardsInTurn) {
    listen_and_keep(3);
    std::vector<Client> clients;
    std::vector<size_t> of_shard(3);
    for (int i = 0; i < 9; ++i) {
        clients.emplace_back(listener_->port());
        Stream& stream = next_stream();
        ++of_shard[stream.shard().index()];
        EXPECT_THAT(stream.peer(), testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
    }
    EXPECT_THAT(of_shard, testing::ElementsAre(3, 3, 3));
}

TEST_F(SocketTest, SendsMemoryAndFilesInOrder) {
    listen_and_keep();
    for (uint64_t seed = 0; seed < 8; ++seed) {
        std::mt19937_64 random(seed);
        std::string contents = random_text(3'000'000, seed);
        std::vector<std::shared_ptr<File>> files = {file(*posix_, std::to_string(seed), contents),
                                                    file(memory_, std::to_string(seed), contents)};
        std::string expected;
        std::vector<Piece> pieces;
        for (uint64_t i = 0, n = random() % 150; i < n; ++i) {
            uint64_t limit = random() % 4 == 0 ? 700'000 : 300;
            uint64_t from = random() % 2'000'000, size = random() % limit;
            expected += contents.substr(from, size);
            uint64_t kind = random() % 4;
            if (kind < 2) pieces.push_back(slice(contents.substr(from, size)));
            else pieces.push_back(FileRange{files[kind - 2], from, size});
        }
        Client client(listener_->port());
        Stream& stream = next_stream();
        auto written = write(stream, std::move(pieces));
        EXPECT_TRUE(client.receive(expected.size()) == expected) << "seed " << seed;
        EXPECT_TRUE(written->wait().ok());
        on(stream, [&] { stream.close(); });
        EXPECT_EQ(client.receive(1), "");
        EXPECT_EQ(written->calls, 1);
    }
}

TEST_F(SocketTest, WritesNothingAtAllToo) {
    listen_and_keep();
    Client client(listener_->port());
    Stream& stream = next_stream();
    EXPECT_TRUE(write(stream, {})->wait().ok());
    EXPECT_TRUE(write(stream, {base::Slice(), FileRange{}, base::Slice()})->wait().ok());
    EXPECT_TRUE(write(stream, {slice("x")})->wait().ok());
    EXPECT_EQ(client.receive(1), "x");
}

TEST_F(SocketTest, WaitsForASlowReaderWithoutHoldingUpTheOthers) {
    listen_and_keep(1);
    std::string contents = random_text(9'000'000, 1);
    auto on_disk = file(*posix_, "f", contents);
    auto in_memory = file(memory_, "f", contents);
    Client slow(listener_->port(), 4096);
    Stream& stream = next_stream();
    uint64_t size = contents.size();
    auto written = write(stream, {slice(contents), FileRange{on_disk, 0, size}, slice(contents),
                                  FileRange{in_memory, 0, size}});
    Client quick(listener_->port());
    Stream& other = next_stream();
    EXPECT_TRUE(write(other, {slice("at once")})->wait().ok());
    EXPECT_EQ(quick.receive(7), "at once");
    EXPECT_EQ(written->calls, 0);
    std::string all;
    while (all.size() < 4 * size) {
        if (all.size() < 2'000'000) std::this_thread::sleep_for(1ms);
        all += slow.receive(std::min<size_t>(100'000, 4 * size - all.size()));
    }
    EXPECT_TRUE(all == contents + contents + contents + contents);
    EXPECT_TRUE(written->wait().ok());
}

TEST_F(SocketTest, APeerThatResetsEndsTheWriteAndTheRead) {
    std::string contents = random_text(30'000'000, 1);
    auto on_disk = file(*posix_, "f", contents);
    auto in_memory = file(memory_, "f", contents);
    listen_and_keep();
    std::vector<Piece> kinds = {slice(contents), FileRange{on_disk, 0, contents.size()},
                                FileRange{in_memory, 0, contents.size()}};
    for (const Piece& piece : kinds) {
        Client client(listener_->port());
        Stream& stream = next_stream();
        base::Bytes to(10);
        auto was_read = read(stream, to);
        auto written = write(stream, {piece, slice("never sent")});
        client.receive(1000);
        client.reset();
        EXPECT_EQ(written->wait().code(), kUnavailable);
        EXPECT_EQ(was_read->wait().status().code(), kUnavailable);
        on(stream, [&] { EXPECT_FALSE(stream.is_open()); });
        EXPECT_EQ(written->calls, 1);
        EXPECT_EQ(was_read->calls, 1);
    }
}

TEST_F(SocketTest, CloseEndsWhatIsOutstandingOnce) {
    listen_and_keep();
    for (bool destroy : {false, true}) {
        Client client(listener_->port());
        Stream& stream = next_stream();
        Shard& shard = stream.shard();
        base::Bytes to(10);
        auto was_read = read(stream, to);
        auto written = write(stream, {slice(random_text(30'000'000, 1))});
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(written->calls + was_read->calls, 0);
        shard.post([&] {
            if (destroy) streams_.back().reset();
            else stream.close();
            EXPECT_EQ(written->calls + was_read->calls, 0) << "never inside the call";
        });
        EXPECT_EQ(written->wait().code(), kUnavailable);
        EXPECT_EQ(was_read->wait().status().code(), kUnavailable);
        EXPECT_EQ(written->calls + was_read->calls, 2);
    }
}

TEST_F(SocketTest, CloseBetweenTwoTurnsOfALongWrite) {
    listen_and_keep();
    Client client(listener_->port());
    Stream& stream = next_stream();
    std::thread reader([&] { client.receive(1'000'000'000); });
    auto outcome = Written::make();
    auto large = file(*posix_, "f", random_text(2'000'000, 1));
    std::vector<Piece> pieces(50, FileRange{large, 0, 2'000'000});
    on(stream, [&] {
        stream.write(std::move(pieces), Written::completion(outcome));
        stream.close();
    });
    EXPECT_EQ(outcome->wait().code(), kUnavailable);
    reader.join();
}

TEST_F(SocketTest, RefusesWorkOnceClosed) {
    listen_and_keep();
    Client client(listener_->port());
    Stream& stream = next_stream();
    on(stream, [&] {
        stream.close();
        stream.close();
    });
    base::Bytes to(10);
    EXPECT_EQ(read(stream, to)->wait().status().code(), kUnavailable);
    EXPECT_EQ(read(stream, to)->wait().status().code(), kUnavailable);
    EXPECT_EQ(write(stream, {slice("x")})->wait().code(), kUnavailable);
    EXPECT_EQ(client.receive(1), "");
}

TEST_F(SocketTest, TellsTheEndOfThePeersSendingAndMayStillAnswer) {
    listen_and_keep();
    Client client(listener_->port());
    Stream& stream = next_stream();
    client.send("question");
    client.end_sending();
    base::Bytes to(100);
    EXPECT_EQ(*read(stream, to)->wait(), 8);
    EXPECT_EQ(*read(stream, to)->wait(), 0);
    EXPECT_TRUE(write(stream, {slice("answer")})->wait().ok());
    EXPECT_EQ(client.receive(6), "answer");
}

TEST_F(SocketTest, AFileThatGotShorterIsAnErrorAndNoLoop) {
    listen_and_keep();
    for (Disk* disk : {posix_.get(), static_cast<Disk*>(&memory_)}) {
        auto shorter = file(*disk, "f", "only this");
        Client client(listener_->port());
        Stream& stream = next_stream();
        auto written = write(stream, {slice("head "), FileRange{shorter, 0, 1'000'000}});
        EXPECT_EQ(written->wait().code(), absl::StatusCode::kDataLoss);
        on(stream, [&] { EXPECT_FALSE(stream.is_open()); });
        EXPECT_EQ(client.receive(100), "head only this");
    }
}

TEST_F(SocketTest, AFileThatCantBeReadIsAnError) {
    listen_and_keep();
    auto broken = file(memory_, "f", random_text(1'000'000, 1));
    memory_.fail(MemoryDisk::Operation::read, 2);
    Client client(listener_->port());
    auto written = write(next_stream(), {FileRange{broken, 0, 1'000'000}});
    EXPECT_LT(client.receive(1'000'000).size(), 1'000'000);
    EXPECT_EQ(written->wait().code(), kUnavailable);
}

TEST_F(SocketTest, LeftoversAreDestroyedWithTheShards) {
    listen_and_keep(2);
    auto owned = std::make_shared<int>();
    Client client(listener_->port());
    Stream& stream = next_stream();
    on(stream, [&] {
        stream.write({slice(random_text(30'000'000, 1))}, [owned](base::Status) {});
        // A connection as the broker has it: the completion owns the stream.
        auto buffer = std::make_shared<base::Bytes>(10);
        base::MutableView to = *buffer;
        std::shared_ptr<Stream> self = std::move(streams_.back());
        self->read_some(to, [owned, buffer, self](base::Result<size_t>) {});
    });
    streams_.clear();
    listener_.reset();
    shards_->stop();
    shards_ = Shards::start(1, 1);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(SocketTest, AListenerSaysWhyItCant) {
    listen_and_keep();
    auto accept = [](std::unique_ptr<Stream>) {};
    auto taken = Listener::start(*shards_, "127.0.0.1", listener_->port(), accept);
    EXPECT_EQ(taken.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(taken.status()),
                testing::HasSubstr("127.0.0.1:" + std::to_string(listener_->port())));
    auto elsewhere = Listener::start(*shards_, "192.0.2.1", 0, accept);
    EXPECT_EQ(elsewhere.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SocketTest, AListenerTakesNamesAndAllAddresses) {
    for (const char* host : {"localhost", "", "0.0.0.0"}) {
        shards_ = Shards::start(1, 1);
        std::promise<std::string> peer;
        auto listener = Listener::start(*shards_, host, 0, [&](std::unique_ptr<Stream> stream) {
            peer.set_value(stream->peer());
        });
        ASSERT_TRUE(listener.ok()) << listener.status();
        Client client((*listener)->port());
        EXPECT_THAT(peer.get_future().get(), testing::StartsWith("127.0.0.1:"));
    }
}

TEST_F(SocketTest, ADestroyedListenerRefusesConnections) {
    listen_and_keep(2);
    uint16_t port = listener_->port();
    listener_.reset();
    shards_->stop();
    EXPECT_FALSE(Client().connects(port));
}

TEST_F(SocketTest, GoesOnAcceptingAfterRunningOutOfDescriptors) {
    listen_and_keep();
    Client first(listener_->port());
    next_stream();
    Client waiting;  // its descriptor is there before they run out
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    std::vector<int> filler;
    rlimit low{64, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) filler.push_back(fd);
    waiting.connect(listener_->port());  // by the kernel; the accept fails
    std::this_thread::sleep_for(150ms);
    {
        std::lock_guard lock(mutex_);
        EXPECT_EQ(streams_.size(), 1);
    }
    for (int fd : filler) ::close(fd);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(write(next_stream(), {slice("late")})->wait().ok());
    EXPECT_EQ(waiting.receive(4), "late");
}

}  // namespace
}  // namespace io
