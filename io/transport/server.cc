#include "io/transport/server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "io/transport/connection.h"

namespace transport {

namespace {

// A peer opens one stream on a connection of its own, but its calls share one.
constexpr int kMostStreamsOfConnection = 256;
// What comes before the first message is read is no more than this.
constexpr int kMostHeaderBytes = 8 << 10;

void configure(grpc::ServerBuilder& builder, const Server::Options& options) {
    const auto set = [&builder](const char* name, int64_t value) {
        builder.AddChannelArgument(name, static_cast<int>(value));
    };
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.most_message_bytes));
    // Nobody compresses here, and a bound on what is decompressed would be one more to keep.
    set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    // Two processes on one port would share its connections.
    set(GRPC_ARG_ALLOW_REUSEPORT, 0);
    set(GRPC_ARG_MAX_METADATA_SIZE, kMostHeaderBytes);
    set(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostStreamsOfConnection);
    set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, options.handshake_timeout.count());
    set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.most_idle.count());
    set(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_time.count());
    set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout.count());
    set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    for (const auto& [name, value] : connection_arguments()) set(name, value);
}

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(const Options& options,
                                                    const std::vector<grpc::Service*>& services) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    configure(builder, options);
    int port = 0;
    builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port);
    for (auto* service : services) builder.RegisterService(service);
    auto server = builder.BuildAndStart();
    if (server == nullptr || port <= 0)
        return base::precondition("can't listen on " + options.address);
    server->GetHealthCheckService()->SetServingStatus(false);
    return std::unique_ptr<Server>(new Server(std::move(server), static_cast<uint16_t>(port)));
}

Server::Server(std::unique_ptr<grpc::Server> server, uint16_t port)
    : server_(std::move(server)), port_(port) {}

Server::~Server() { stop(); }

void Server::set_serving(bool serving) {
    if (server_ != nullptr) server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::stop() {
    if (server_ == nullptr) return;
    // The deadline has passed: calls that last for ever are not waited for, but cancelled.
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
}

}  // namespace transport
