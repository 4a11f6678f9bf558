#include "broker/connections.h"

#include <future>

#include "io/heap.h"
#include "spdlog/spdlog.h"

namespace broker {

Connections::Connections(Services& services, std::vector<std::unique_ptr<Local>>& locals)
    : services_(services),
      locals_(locals),
      of_shard_(locals.size()),
      counts_(services.settings.max_connections, services.settings.max_connections_per_ip) {}

Connections::~Connections() = default;

void Connections::accept(std::unique_ptr<io::Stream> stream, const std::string& listener) {
    auto& home = services_.shards.at(0);
    const std::string address = address_of(stream->peer());
    auto& shard = stream->shard();
    home.run([this, listener, address, &shard, stream = std::move(stream)]() mutable {
        const bool admitted = counts_.admit(address);
        if (!admitted) tell_refused(address);
        shard.run([this, admitted, listener, address, stream = std::move(stream)]() mutable {
            if (admitted) this->admitted(std::move(stream), listener, address);
        });
    });
}

/// At most once a second: a flood must not fill the log.
void Connections::tell_refused(const std::string& address) {
    ++refused_;
    const auto now = io::monotonic_clock();
    if (told_refused_at_ && now - *told_refused_at_ < 1000) return;
    told_refused_at_ = now;
    spdlog::warn(
        "connection of {} refused: {} connections are open (max.connections, "
        "max.connections.per.ip); {} refused so far",
        address, counts_.all(), refused_);
}

void Connections::admitted(std::unique_ptr<io::Stream> stream, const std::string& listener,
                           const std::string& address) {
    const size_t shard = stream->shard().index();
    if (of_shard_[shard].stopped) return release(address);
    auto connection =
        std::make_shared<Connection>(services_, *locals_[shard], std::move(stream), listener);
    of_shard_[shard].connections.insert(connection);
    connection->on_close([this, shard, address, weak = std::weak_ptr(connection)] {
        of_shard_[shard].connections.erase(weak.lock());
        release(address);
    });
    if (of_shard_[shard].started) connection->start();
}

void Connections::release(const std::string& address) {
    services_.shards.at(0).run([this, address] { counts_.release(address); });
}

void Connections::start() {
    for (size_t i = 0; i < of_shard_.size(); ++i)
        services_.shards.at(i).post([this, i] {
            of_shard_[i].started = true;
            const auto all = of_shard_[i].connections;
            for (const auto& connection : all) connection->start();
            look_after(i);
        });
}

void Connections::look_after(size_t shard) {
    const auto now = io::monotonic_clock();
    const auto all = of_shard_[shard].connections;  // closing changes the set
    for (const auto& connection : all) connection->look_after(now);
    if (shard == 0 && idle_heap_.should_return(services_.memory.taken()))
        services_.shards.block([] { io::return_free_heap(); });
    of_shard_[shard].timer = services_.shards.at(shard).after(std::chrono::seconds(1),
                                                              [this, shard] { look_after(shard); });
}

void Connections::leave_if_outdated(base::BrokerId lost, base::InstantMs since,
                                    base::InstantMs lost_at) {
    for (size_t i = 0; i < of_shard_.size(); ++i)
        services_.shards.at(i).post([this, i, lost, since, lost_at] {
            const auto all = of_shard_[i].connections;  // closing changes the set
            for (const auto& connection : all) connection->leave_if_outdated(lost, since, lost_at);
        });
}

void Connections::stop() {
    std::vector<std::promise<void>> done(of_shard_.size());
    for (size_t i = 0; i < of_shard_.size(); ++i)
        services_.shards.at(i).post([this, i, &done] {
            of_shard_[i].stopped = true;
            of_shard_[i].timer.reset();
            const auto all = std::exchange(of_shard_[i].connections, {});
            for (const auto& connection : all) connection->close("the broker is stopping");
            done[i].set_value();
        });
    for (auto& one : done) one.get_future().wait();
}

}  // namespace broker
