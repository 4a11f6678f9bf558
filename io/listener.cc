#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"
#include "io/errno_status.h"
#include "io/socket.h"
#include "io/tcp_stream.h"

namespace io {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// How long to wait after an accept failed for want of descriptors or memory.
constexpr auto kPause = std::chrono::milliseconds(50);

/// The part that outstanding operations keep alive. Works on the first shard.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
  public:
    Acceptor(Shards& shards, Listener::Accept accept)
        : shards_(shards),
          accept_(std::move(accept)),
          acceptor_(shards.at(0).context()),
          pause_(shards.at(0).context()) {}

    base::Status listen(const tcp::endpoint& at) {
        boost::system::error_code error;
        acceptor_.open(at.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error && at.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
        if (!error) acceptor_.bind(at, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return errno_status(error.value(), text_of(at) + ": listen");
        port_ = acceptor_.local_endpoint(error).port();
        return base::ok();
    }

    uint16_t port() const { return port_; }

    void begin() {
        asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->accept(); });
    }

    void close() {
        closed_ = true;
        shards_.at(0).run([self = shared_from_this()] {
            boost::system::error_code ignored;
            self->acceptor_.close(ignored);
            self->pause_.cancel();
        });
    }

  private:
    void accept() {
        if (closed_) return;
        Shard& shard = shards_.at(next_++ % shards_.count());
        acceptor_.async_accept(shard.context(), [self = shared_from_this(), &shard](
                                                    const auto& error, tcp::socket socket) {
            if (error) return self->failed(error);
            self->hand_over(shard, std::move(socket));
            self->accept();
        });
    }

    void hand_over(Shard& shard, tcp::socket socket) {
        shard.run([self = shared_from_this(), &shard, socket = std::move(socket)]() mutable {
            if (!self->closed_) self->accept_(make_stream(shard, std::move(socket)));
        });
    }

    void failed(const boost::system::error_code& error) {
        if (closed_) return;
        // The peer gave up while it waited: its business. Anything else may go on failing.
        if (error == asio::error::connection_aborted) return accept();
        pause_.expires_after(kPause);
        pause_.async_wait([self = shared_from_this()](const auto&) { self->accept(); });
    }

    Shards& shards_;
    Listener::Accept accept_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    uint16_t port_ = 0;
    size_t next_ = 0;
    std::atomic<bool> closed_ = false;  // set by any thread
};

class TcpListener : public Listener {
  public:
    explicit TcpListener(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
    ~TcpListener() override { acceptor_->close(); }
    uint16_t port() const override { return acceptor_->port(); }

  private:
    std::shared_ptr<Acceptor> acceptor_;
};

/// The addresses to try: of the name, or all of this machine's, by IPv6 that takes IPv4 too if
/// there is IPv6 at all.
base::Result<std::vector<tcp::endpoint>> addresses(const std::string& host, uint16_t port) {
    if (host.empty()) return std::vector<tcp::endpoint>{{tcp::v6(), port}, {tcp::v4(), port}};
    boost::system::error_code error;
    asio::io_context context;
    tcp::resolver resolver(context);
    auto found = resolver.resolve(host, std::to_string(port),
                                  tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error) return base::precondition(host + ": " + error.message());
    std::vector<tcp::endpoint> endpoints;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    // A name often has both ("localhost"); clients of the Kafka world prefer IPv4.
    std::ranges::stable_partition(endpoints, [](const auto& e) { return e.address().is_v4(); });
    return endpoints;
}

}  // namespace

base::Result<std::unique_ptr<Listener>> Listener::start(Shards& shards, const std::string& host,
                                                        uint16_t port, Accept accept) {
    ASSIGN_OR_RETURN(auto endpoints, addresses(host, port));
    auto callback = std::make_shared<Accept>(std::move(accept));
    base::Status first;
    for (const tcp::endpoint& endpoint : endpoints) {
        auto acceptor = std::make_shared<Acceptor>(
            shards, [callback](std::unique_ptr<Stream> stream) { (*callback)(std::move(stream)); });
        auto status = acceptor->listen(endpoint);
        if (status.ok()) {
            acceptor->begin();
            return std::make_unique<TcpListener>(std::move(acceptor));
        }
        if (first.ok()) first = status;
        // Not by another way round: it would get the port in part.
        if (absl::IsFailedPrecondition(status)) break;
    }
    return first;
}

}  // namespace io
