#include "cli/socket.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

/// A port of 127.0.0.1 that takes connections and never says anything.
class SilentServer {
  public:
    SilentServer() : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(0, bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size));
        EXPECT_EQ(0, listen(descriptor_, 8));
        EXPECT_EQ(0, getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size));
        port_ = ntohs(address.sin_port);
    }
    ~SilentServer() { stop(); }
    void stop() {
        if (descriptor_ >= 0) close(descriptor_);
        descriptor_ = -1;
    }
    Endpoint endpoint() const { return {"127.0.0.1", port_}; }
    void accept_and_close() const { close(accept(descriptor_, nullptr, nullptr)); }

  private:
    int descriptor_;
    uint16_t port_ = 0;
};

TEST(Endpoints, AreParsed) {
    EXPECT_THAT(*parse_endpoints("a:1,b:65535"),
                ElementsAre(Endpoint{"a", 1}, Endpoint{"b", 65535}));
    EXPECT_THAT(*parse_endpoints("host"), ElementsAre(Endpoint{"host", 9092}));
    EXPECT_THAT(*parse_endpoints("[::1]:99"), ElementsAre(Endpoint{"::1", 99}));
    EXPECT_EQ("[::1]:99", (Endpoint{"::1", 99}.text()));
}

TEST(Endpoints, SayWhatIsWrong) {
    for (const char* text :
         {"", ":1", "a:", "a:0", "a:65536", "a:b", "a:1,", "[::1", "[::1]x", "a:-1"})
        EXPECT_TRUE(absl::IsInvalidArgument(parse_endpoints(text).status())) << text;
}

TEST(Socket, ARefusedConnectionIsUnavailableAtOnce) {
    SilentServer server;
    const Endpoint endpoint = server.endpoint();
    server.stop();
    const auto socket = Socket::connect(endpoint, soon());
    EXPECT_TRUE(absl::IsUnavailable(socket.status()));
    EXPECT_THAT(base::message(socket.status()), HasSubstr("refused"));
}

TEST(Socket, AnUnknownHostIsUnavailable) {
    EXPECT_TRUE(absl::IsUnavailable(Socket::connect({"no-such-host.invalid", 1}, soon()).status()));
}

TEST(Socket, ASilentPeerRunsIntoTheDeadline) {
    const SilentServer server;
    auto socket = Socket::connect(server.endpoint(), soon());
    ASSERT_TRUE(socket.ok());
    base::Bytes answer(4);
    const auto status =
        socket->read(answer, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
    EXPECT_TRUE(absl::IsDeadlineExceeded(status));
}

TEST(Socket, AClosedConnectionIsUnavailable) {
    const SilentServer server;
    auto socket = Socket::connect(server.endpoint(), soon());
    ASSERT_TRUE(socket.ok());
    server.accept_and_close();
    base::Bytes answer(4);
    EXPECT_TRUE(absl::IsUnavailable(socket->read(answer, soon())));
}

}  // namespace
}  // namespace cli
