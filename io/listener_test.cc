#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "io/socket.h"
#include "io/socket_fixture.h"

namespace io {
namespace {

using namespace std::chrono_literals;
using ListenerTest = SocketTest;

TEST_F(ListenerTest, HandsConnectionsToTheShardsInTurn) {
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

TEST_F(ListenerTest, AListenerSaysWhyItCant) {
    listen_and_keep();
    auto accept = [](std::unique_ptr<Stream>) {};
    auto taken = Listener::start(*shards_, "127.0.0.1", listener_->port(), accept);
    EXPECT_EQ(taken.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::message(taken.status()),
                testing::HasSubstr("127.0.0.1:" + std::to_string(listener_->port())));
    auto elsewhere = Listener::start(*shards_, "192.0.2.1", 0, accept);
    EXPECT_EQ(elsewhere.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ListenerTest, AListenerTakesNamesAndAllAddresses) {
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

TEST_F(ListenerTest, ADestroyedListenerRefusesConnections) {
    listen_and_keep(2);
    uint16_t port = listener_->port();
    listener_.reset();
    shards_->stop();
    EXPECT_FALSE(Client().connects(port));
}

TEST_F(ListenerTest, GoesOnAcceptingAfterRunningOutOfDescriptors) {
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
