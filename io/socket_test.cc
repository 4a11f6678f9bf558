#include "io/socket.h"

#include <gmock/gmock.h>

#include <thread>

#include "io/socket_fixture.h"

namespace io {
namespace {

using namespace std::chrono_literals;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

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
    std::string contents = random_text(4'000'000, 1);
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
        if (all.size() < 1'000'000) std::this_thread::sleep_for(1ms);
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
    std::thread reader([&] { client.drain(); });
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

TEST_F(SocketTest, MayEndWhatItSendsAndStillRead) {
    listen_and_keep();
    Client client(listener_->port());
    Stream& stream = next_stream();
    EXPECT_TRUE(write(stream, {slice("answer")})->wait().ok());
    on(stream, [&] { stream.end_writing(); });
    client.send("too late");
    base::Bytes to(100);
    EXPECT_EQ(*read(stream, to)->wait(), 8);
    EXPECT_EQ(client.receive(100), "answer");
    client.close();
    EXPECT_EQ(*read(stream, to)->wait(), 0);
    on(stream, [&] { stream.close(); });
    on(stream, [&] { stream.end_writing(); });  // to no effect
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

}  // namespace
}  // namespace io
