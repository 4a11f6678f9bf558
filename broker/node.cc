#include "broker/node.h"

#include <algorithm>
#include <future>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "broker/connections.h"
#include "broker/directories.h"
#include "broker/metadata_follower.h"
#include "broker/producer_ids.h"
#include "broker/resolve.h"
#include "broker/services.h"
#include "controller/service.h"
#include "groups/coordinators.h"
#include "io/posix_disk.h"
#include "io/shard.h"
#include "io/socket.h"
#include "replication/partitions.h"
#include "spdlog/spdlog.h"
#include "storage/store/rocks_store.h"

namespace broker {

namespace {

/// Waits for an answer that comes on a shard.
template <class T, class Ask>
T wait_for(Ask ask) {
    std::promise<T> promise;
    auto answer = promise.get_future();
    ask([&promise](T value) { promise.set_value(std::move(value)); });
    return answer.get();
}

metadata::Broker description(const Settings& settings, const std::vector<uint16_t>& ports) {
    metadata::Broker out;
    out.id = settings.id;
    absl::BitGen random;
    out.incarnation = base::Uuid::from_random(random(), random());
    out.rack = settings.rack;
    for (size_t i = 0; i < settings.listeners.size(); ++i) {
        const auto& l = settings.listeners[i];
        const uint16_t port = l.advertised_port != 0 ? l.advertised_port : ports[i];
        out.endpoints.push_back({.listener = l.name, .host = l.advertised_host, .port = port});
    }
    return out;
}

/// The topics of the newest image that requests to any shard may have been answered from.
class ShownTopics final : public groups::Topics {
  public:
    explicit ShownTopics(const std::vector<std::unique_ptr<Local>>& locals) : locals_(locals) {}

    std::optional<base::Uuid> id_of(const io::Shard& here, const std::string& name) const override {
        const auto topic = locals_[here.index()]->newest->topic(name);
        return topic ? std::optional(topic->id) : std::nullopt;
    }

  private:
    const std::vector<std::unique_ptr<Local>>& locals_;
};

}  // namespace

/// In the order in which they depend on each other; what comes first is destroyed last. The shards
/// are reset by hand: timers must go before them, and what is posted to them may refer to the rest.
class Node::Parts {
  public:
    Parts(const Settings& s, std::shared_ptr<io::Disk> d)
        : settings(s), disk(std::move(d)), memory(s.request_memory_bytes) {}

    base::Status open();
    base::Status join();
    base::Status listen();
    base::Status stop();

    const Settings settings;
    const std::shared_ptr<io::Disk> disk;
    MemoryBudget memory;
    std::vector<std::unique_ptr<Local>> locals;
    const ShownTopics topics{locals};
    std::unique_ptr<Directories> directories;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<io::Shards> shards;
    std::unique_ptr<controller::Service> controller;
    std::unique_ptr<replication::Partitions> partitions;
    std::unique_ptr<groups::Coordinators> groups;
    std::unique_ptr<ProducerIds> producer_ids;
    std::unique_ptr<MetadataFollower> follower;
    std::unique_ptr<Services> services;
    std::unique_ptr<Connections> connections;
    std::vector<std::unique_ptr<io::Listener>> listeners;
    bool stopped = false;

  private:
    io::Shard& home() { return shards->at(0); }
};

/// What lies on disk, and the threads.
base::Status Node::Parts::open() {
    RETURN_IF_ERROR(check_settings(settings));
    ASSIGN_OR_RETURN(directories, Directories::open(*disk, settings));
    ASSIGN_OR_RETURN(store, storage::open_rocks_store(Directories::store_path(settings)));
    size_t count = settings.shards;
    if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
    shards = io::Shards::start(count, settings.blocking_threads);
    for (size_t i = 0; i < count; ++i)
        locals.push_back(std::make_unique<Local>(shards->at(i), settings));

    controller::Service::Options options;
    options.id = settings.id;
    options.cluster_id = directories->cluster_id();
    options.static_configs = settings.static_configs;
    options.on_failure = [](const base::Status& why) {
        spdlog::critical(
            "the metadata journal failed: {}. Changes to metadata are refused until "
            "this node is started anew.",
            base::message(why));
    };
    ASSIGN_OR_RETURN(controller,
                     controller::Service::open(*store, *shards, home(), std::move(options)));
    RETURN_IF_ERROR(directories->belong_to(controller->opened()->cluster_id()));

    partitions = std::make_unique<replication::Partitions>(
        *shards, *disk, *store, settings.log_dirs, settings.storage_reserve_bytes);
    RETURN_IF_ERROR(partitions->finish_removals());
    const auto offsets = controller->opened()->topic(offsets_topic);
    const auto offsets_partitions =
        offsets ? static_cast<int32_t>(offsets->partitions.size()) : settings.offsets_partitions;
    groups = std::make_unique<groups::Coordinators>(*shards, settings.groups, topics,
                                                    offsets_partitions);
    producer_ids = std::make_unique<ProducerIds>(home(), *controller, settings.id);
    follower =
        std::make_unique<MetadataFollower>(settings, *shards, home(), *partitions, *groups, locals);
    services = std::make_unique<Services>(Services{settings, *shards, *partitions, *groups,
                                                   *controller, *follower, *producer_ids, memory});
    connections = std::make_unique<Connections>(*services, locals);
    return base::ok();
}

/// Takes this broker's place in the cluster: registered, logs recovered, then in service.
base::Status Node::Parts::join() {
    std::vector<uint16_t> ports;
    for (const auto& listener : listeners) ports.push_back(listener->port());
    const auto epoch = wait_for<kafka::Outcome<int64_t>>([&](auto done) {
        controller->register_broker(description(settings, ports), home(), std::move(done));
    });
    if (!epoch.ok()) return base::precondition("can't register: " + epoch.error().message);
    producer_ids->set_epoch(*epoch);
    controller->subscribe(
        home(), [this](const auto& image, const auto& delta) { follower->take(image, delta); });
    const auto caught_up = [this] {
        wait_for<bool>([this](auto done) {
            home().post([this, done = std::move(done)]() mutable {
                follower->when_caught_up(home(),
                                         [done = std::move(done)]() mutable { done(true); });
            });
        });
    };
    // The first call of a subscriber is posted before what asks for it.
    caught_up();
    for (const auto& path : partitions->unclaimed([this](const base::TopicPartition& id) {
             return controller->opened()->partition(id) != nullptr;
         }))
        spdlog::warn(
            "{} belongs to no topic of this cluster; it is left as it is. If a topic was deleted "
            "just before the last stop, remove the directory by hand; if not, metadata is missing",
            path);
    const auto unfenced = wait_for<kafka::Error>([&](auto done) {
        controller->unfence_broker(settings.id, *epoch, home(), std::move(done));
    });
    if (unfenced.code != kafka::ErrorCode::none)
        return base::precondition("can't go into service: " + unfenced.message);
    caught_up();
    partitions->maintain_every(std::chrono::seconds(5));
    connections->start();
    return base::ok();
}

base::Status Node::Parts::listen() {
    for (const auto& l : settings.listeners) {
        ASSIGN_OR_RETURN(
            auto listener,
            io::Listener::start(*shards, l.host, l.port,
                                [this, name = l.name](std::unique_ptr<io::Stream> stream) {
                                    connections->accept(std::move(stream), name);
                                }));
        listeners.push_back(std::move(listener));
    }
    return base::ok();
}

base::Status Node::Parts::stop() {
    if (std::exchange(stopped, true)) return base::ok();
    listeners.clear();
    if (connections) connections->stop();
    // Nothing is opened or handed to the groups any more.
    if (follower)
        wait_for<bool>([this](auto done) {
            follower->stop([done = std::move(done)]() mutable { done(true); });
        });
    if (groups) {
        for (int32_t i = 0; i < groups->partitions(); ++i)
            wait_for<bool>([&](auto done) {
                groups->remove(i, [done = std::move(done)]() mutable { done(true); });
            });
    }
    base::Status status;
    if (partitions) status.Update(partitions->close());
    if (shards) shards->stop();
    follower.reset();
    producer_ids.reset();
    groups.reset();
    partitions.reset();
    controller.reset();
    shards.reset();
    connections.reset();
    return status;
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() {
    if (const auto status = stop(); !status.ok())
        spdlog::error("stopping: {}", base::message(status));
}

base::Result<std::unique_ptr<Node>> Node::start(const Settings& settings) {
    return start(settings, io::posix_disk());
}

base::Result<std::unique_ptr<Node>> Node::start(const Settings& settings,
                                                std::shared_ptr<io::Disk> disk) {
    // Debian's absl is built with its detection of deadlocks on; it would only cost time here.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    std::unique_ptr<Node> node(new Node(std::make_unique<Parts>(settings, std::move(disk))));
    RETURN_IF_ERROR(node->parts_->open());
    RETURN_IF_ERROR(node->parts_->listen());
    RETURN_IF_ERROR(node->parts_->join());
    return node;
}

base::Status Node::stop() { return parts_->stop(); }

const std::string& Node::cluster_id() const { return parts_->controller->opened()->cluster_id(); }

std::vector<std::string> Node::addresses() const {
    std::vector<std::string> out;
    for (size_t i = 0; i < parts_->listeners.size(); ++i) {
        const auto& l = parts_->settings.listeners[i];
        const uint16_t port =
            l.advertised_port != 0 ? l.advertised_port : parts_->listeners[i]->port();
        out.push_back(l.advertised_host + ":" + std::to_string(port));
    }
    return out;
}

}  // namespace broker
