#include "broker/rpc/forwarder.h"

#include <grpcpp/support/byte_buffer.h>

#include <utility>

#include "io/transport/caller.h"

namespace broker::rpc {

namespace {

// A reply holds one batch at least, whatever its size.
constexpr size_t kMostMessageBytes = 128 << 20;

}  // namespace

/// The ways to some of the brokers; on the shard.
struct Forwarder::Line {
    explicit Line(io::Shard& at)
        : shard(at), caller(at, {.most_message_bytes = kMostMessageBytes}) {}

    io::Shard& shard;
    transport::Caller caller;
    std::map<base::BrokerId, std::string> addresses;
};

Forwarder::Forwarder(io::Shards& shards) {
    for (size_t i = 0; i < shards.count(); ++i)
        lines_.push_back(std::make_unique<Line>(shards.at(i)));
}

Forwarder::~Forwarder() = default;

Forwarder::Line& Forwarder::line(base::BrokerId to) {
    return *lines_[static_cast<uint32_t>(to.value) % lines_.size()];
}

void Forwarder::call(io::Shard& from, base::BrokerId to, const char* method,
                     const grpc::ByteBuffer& request, std::chrono::milliseconds timeout,
                     Done done) {
    auto& way = line(to);
    auto back = [&from, done = std::move(done)](const base::Status& status,
                                                grpc::ByteBuffer& reply) mutable {
        from.run([status, reply, done = std::move(done)]() mutable { done(status, reply); });
    };
    way.shard.run([&way, to, method, request, timeout, back = std::move(back)]() mutable {
        const auto address = way.addresses.find(to);
        if (address == way.addresses.end()) {
            grpc::ByteBuffer none;
            return back(base::unavailable("failed to connect: broker " + std::to_string(to.value) +
                                          " has no known address"),
                        none);
        }
        way.caller.call(address->second, to.value, method, request, timeout, std::move(back));
    });
}

void Forwarder::set_addresses(const std::map<base::BrokerId, std::string>& addresses) {
    for (auto& way : lines_)
        way->shard.run([&way = *way, addresses] { way.addresses = addresses; });
}

void Forwarder::set_cut(const std::set<int32_t>& nodes) {
    for (auto& way : lines_) way->shard.run([&way = *way, nodes] { way.caller.set_cut(nodes); });
}

void Forwarder::stop() {
    for (auto& way : lines_) way->caller.stop();
}

}  // namespace broker::rpc
