#include "broker/node.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "broker/clean_stop.h"
#include "broker/cluster_member.h"
#include "broker/connections.h"
#include "broker/controller_link.h"
#include "broker/directories.h"
#include "broker/health.h"
#include "broker/isr_changes.h"
#include "broker/lost_leaders.h"
#include "broker/metadata_follower.h"
#include "broker/producer_ids.h"
#include "broker/registration.h"
#include "broker/resolve.h"
#include "broker/rpc/donors.h"
#include "broker/rpc/forwarder.h"
#include "broker/rpc/service.h"
#include "broker/services.h"
#include "controller/features.h"
#include "groups/coordinators.h"
#include "io/posix_disk.h"
#include "io/run_on.h"
#include "io/shard.h"
#include "io/socket.h"
#include "io/transport/reflection.h"
#include "replication/partitions.h"
#include "replication/streams/streams.h"
#include "spdlog/spdlog.h"
#include "storage/store/rocks_store.h"

namespace broker {

namespace {

metadata::Broker description(const Settings& settings, const std::vector<uint16_t>& ports,
                             std::vector<base::Uuid> log_dirs) {
    metadata::Broker out;
    out.id = settings.id;
    absl::BitGen random;
    out.incarnation = base::Uuid::from_random(random(), random());
    out.rack = settings.rack;
    out.log_dirs = std::move(log_dirs);
    out.features = controller::supported_features();
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
    Parts(const Settings& s, std::shared_ptr<io::Disk> d, std::function<bool()> stop_asked)
        : settings(s),
          disk(std::move(d)),
          stopping(std::move(stop_asked)),
          memory(s.request_memory_bytes) {}

    base::Status open();
    base::Status join();
    base::Status listen();
    base::Status stop();

    const Settings settings;
    const std::shared_ptr<io::Disk> disk;
    const std::function<bool()> stopping;
    MemoryBudget memory;
    std::vector<std::unique_ptr<Local>> locals;
    const ShownTopics topics{locals};
    std::unique_ptr<Directories> directories;
    std::unique_ptr<storage::Store> store;
    replication::Streams streams;
    std::unique_ptr<rpc::Service> rpc_service;  // none where this is no broker
    transport::Reflection reflection{{"moldau.broker.v1.Broker"}};
    std::unique_ptr<ClusterMember> member;
    std::unique_ptr<ControllerLink> link;
    std::unique_ptr<Registration> registration;
    std::unique_ptr<io::Shards> shards;
    std::unique_ptr<replication::Partitions> partitions;
    std::vector<std::unique_ptr<IsrChanges>> isr_changes;
    std::unique_ptr<groups::Coordinators> groups;
    std::unique_ptr<ProducerIds> producer_ids;
    std::unique_ptr<MetadataFollower> follower;
    std::unique_ptr<Health> health;
    std::unique_ptr<Services> services;
    std::unique_ptr<Connections> connections;
    std::unique_ptr<LostLeaders> lost_leaders;
    std::unique_ptr<rpc::Forwarder> forwarder;
    std::unique_ptr<rpc::Donors> donors;
    std::vector<std::unique_ptr<io::Listener>> listeners;
    bool stopped = false;

  private:
    base::Status open_member();
    base::Status open_broker(const metadata::ImagePtr&);
    void connect_replicas();
    void set_throttle(const metadata::Image&);
    void disconnect_replicas();
    base::Result<metadata::ImagePtr> first_image();
    base::Result<int64_t> register_broker();
    base::Status catch_up_to(int64_t index, const char* what);
    base::Result<int64_t> enter_service();
    base::Status stop_broker();
    io::Shard& home() { return member->home(); }
    /// Waits for `ready`, which is asked on the home shard; tells what for. kFailedPrecondition if
    /// the metadata log fails meanwhile, as then nothing comes any more; kCancelled.
    base::Status wait_until(const char* what, const std::function<bool()>& ready);

    int64_t previous_epoch_ = -1;
    base::Status log_failure_;  // on the home shard
    bool replicates_ = false;   // there, too
    int64_t throttle_ = INT64_MAX;
};

/// What lies on disk, and the threads.
base::Status Node::Parts::open() {
    RETURN_IF_ERROR(check_settings(settings));
    ASSIGN_OR_RETURN(directories, Directories::open(*disk, settings));
    ASSIGN_OR_RETURN(store, storage::open_rocks_store(Directories::store_path(settings)));
    RETURN_IF_ERROR(open_member());
    RETURN_IF_ERROR(directories->belong_to(member->cluster_id()));
    if (!settings.cluster.broker) return base::ok();
    ASSIGN_OR_RETURN(previous_epoch_, clean_stop(*store));
    ASSIGN_OR_RETURN(const auto image, first_image());
    return open_broker(image);
}

base::Status Node::Parts::open_member() {
    ClusterMember::Events events;
    events.on_standing = [this](const quorum::Standing& now) {
        if (link) link->standing_changed(now);
    };
    events.on_failure = [this](const base::Status& why) {
        log_failure_ = base::precondition("the metadata log failed: " + base::message(why));
        // It does not see any more who leads what: without a session others take over.
        if (registration) registration->stop();
        spdlog::critical(
            "the metadata log failed: {}. This node takes no part in the cluster's metadata until "
            "it is started anew.",
            base::message(why));
    };
    events.on_addresses = [this](const auto& addresses) {
        if (replicates_) streams.set_addresses(addresses);
        if (forwarder) forwarder->set_addresses(addresses);
    };
    events.on_cut = [this](const auto& nodes) {
        if (replicates_) streams.set_cut(nodes);
        if (forwarder) forwarder->set_cut(nodes);
    };
    std::vector<grpc::Service*> served = reflection.services();
    served.push_back(&streams.service());
    if (settings.cluster.broker) {
        rpc_service = std::make_unique<rpc::Service>();
        served.push_back(&rpc_service->service());
    }
    ASSIGN_OR_RETURN(member, ClusterMember::start(settings, *store, directories->cluster_id(),
                                                  std::move(events), stopping, served));
    io::run_on(home(), [this] {
        link = std::make_unique<ControllerLink>(home(), member->service(), member->client(),
                                                member->cluster_id(), settings.id);
        link->standing_changed(member->service().standing());
        registration = std::make_unique<Registration>(home(), *link, settings.cluster.heartbeat);
    });
    return base::ok();
}

base::Status Node::Parts::wait_until(const char* what, const std::function<bool()>& ready) {
    constexpr std::chrono::milliseconds pause{2};
    constexpr std::chrono::seconds tell_every{5};
    auto told = std::chrono::steady_clock::now();
    const auto look = [&]() -> base::Result<bool> {
        if (!log_failure_.ok()) return log_failure_;
        return ready();
    };
    for (;;) {
        ASSIGN_OR_RETURN(const bool is_ready, io::run_on(home(), look));
        if (is_ready) return base::ok();
        if (stopping()) return absl::CancelledError(std::string("stopped while it waited ") + what);
        if (std::chrono::steady_clock::now() - told > tell_every) {
            spdlog::info("waiting {}", what);
            told = std::chrono::steady_clock::now();
        }
        std::this_thread::sleep_for(pause);
    }
}

/// The newest state that is known, once a controller leads.
base::Result<metadata::ImagePtr> Node::Parts::first_image() {
    metadata::ImagePtr image;
    RETURN_IF_ERROR(wait_until("for a majority of the controllers", [&] {
        auto& service = member->service();
        image = service.image();
        return service.standing().leader && !image->cluster_id().empty();
    }));
    return image;
}

base::Status Node::Parts::open_broker(const metadata::ImagePtr& image) {
    size_t count = settings.shards;
    if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
    shards = io::Shards::start(count, settings.blocking_threads);
    for (size_t i = 0; i < count; ++i)
        locals.push_back(std::make_unique<Local>(shards->at(i), settings));
    partitions = std::make_unique<replication::Partitions>(
        *shards, *disk, *store, settings.id, settings.log_dirs, settings.storage_reserve_bytes);
    connect_replicas();
    RETURN_IF_ERROR(partitions->finish_removals());
    const auto offsets = image->topic(offsets_topic);
    const auto offsets_partitions =
        offsets ? static_cast<int32_t>(offsets->partitions.size()) : settings.offsets_partitions;
    groups = std::make_unique<groups::Coordinators>(*shards, settings.groups, topics,
                                                    offsets_partitions);
    producer_ids = std::make_unique<ProducerIds>(home(), *link, settings.id,
                                                 [this] { return registration->epoch(); });
    follower =
        std::make_unique<MetadataFollower>(settings, *shards, home(), *partitions, *groups, locals);
    registration->on_epoch([this](int64_t epoch) { follower->registered(epoch); });
    health = std::make_unique<Health>(*shards, *partitions, settings.cluster.stall,
                                      settings.cluster.heartbeat);
    registration->ask_if_fit([this] { return health->fit(); });
    registration->on_session(settings.cluster.session, [this](bool in_session) {
        partitions->set_in_session(in_session);
        for (auto& local : locals)
            local->shard.post([&l = *local, in_session] { l.in_session = in_session; });
    });
    follower->on_progress([this](int64_t index) {
        const auto image = member->service().image();
        set_throttle(*image);
        // A broker that stops waits until all others know who leads in its place.
        bool awaited = false;
        for (const auto& [id, broker] : image->brokers())
            awaited = awaited || broker->in_controlled_shutdown;
        registration->caught_up_to(index, awaited);
    });
    services = std::make_unique<Services>(
        Services{settings, *shards, *partitions, *groups, *link, *follower, *producer_ids, memory});
    connections = std::make_unique<Connections>(*services, locals);
    lost_leaders = std::make_unique<LostLeaders>(
        home(), settings.id, [this](base::BrokerId id) { return member->gone(id); },
        [this](base::BrokerId lost, base::InstantMs since, base::InstantMs lost_at) {
            connections->leave_if_outdated(lost, since, lost_at);
        });
    follower->on_change([this](const metadata::Image& before, const metadata::Image& after) {
        lost_leaders->changed(before, after);
    });
    io::run_on(home(), [this] {
        forwarder = std::make_unique<rpc::Forwarder>(*shards);
        forwarder->set_addresses(member->addresses());
        forwarder->set_cut(member->cut());
    });
    donors = std::make_unique<rpc::Donors>(*forwarder);
    return base::ok();
}

void Node::Parts::connect_replicas() {
    replication::streams::Options options;
    options.cluster_id = member->cluster_id();
    options.self = settings.id;
    streams.start(*shards, *partitions, std::move(options));
    const auto exchanges = streams.exchanges();
    std::vector<replication::Partitions::Peers> peers;
    for (size_t i = 0; i < shards->count(); ++i) {
        isr_changes.push_back(
            std::make_unique<IsrChanges>(shards->at(i), *link, *partitions, settings.id));
        peers.push_back({exchanges[i], isr_changes.back().get()});
    }
    partitions->connect(peers);
    io::run_on(home(), [this] {
        replicates_ = true;
        streams.set_addresses(member->addresses());
        streams.set_cut(member->cut());
    });
}

void Node::Parts::set_throttle(const metadata::Image& image) {
    const metadata::ConfigView view(image, settings.id, settings.static_configs);
    const int64_t rate = view.broker_int("leader.replication.throttled.rate");
    if (!replicates_ || std::exchange(throttle_, rate) == rate) return;
    streams.set_throttle(rate == INT64_MAX ? 0 : rate);
}

void Node::Parts::disconnect_replicas() {
    io::run_on(home(), [this] { replicates_ = false; });
    streams.stop();
}

base::Result<int64_t> Node::Parts::register_broker() {
    std::vector<uint16_t> ports;
    for (const auto& listener : listeners) ports.push_back(listener->port());
    auto answer = std::make_shared<std::optional<kafka::Outcome<int64_t>>>();
    home().post([this, broker = description(settings, ports, directories->log_dir_ids()), answer] {
        registration->start(broker, member->cluster_id(), previous_epoch_,
                            [answer](const kafka::Outcome<int64_t>& epoch) { *answer = epoch; });
    });
    RETURN_IF_ERROR(wait_until("for the active controller to register this broker",
                               [&] { return answer->has_value(); }));
    if (!answer->value().ok())
        return base::precondition("can't register: " + answer->value().error().message);
    return *answer->value();
}

base::Status Node::Parts::catch_up_to(int64_t index, const char* what) {
    auto there = std::make_shared<bool>(false);
    follower->when_at(index, home(), [there] { *there = true; });
    return wait_until(what, [&] { return *there; });
}

/// The index of the entry that says that it serves.
base::Result<int64_t> Node::Parts::enter_service() {
    auto index = std::make_shared<std::optional<int64_t>>();
    home().post([this, index] { registration->serve([index](int64_t at) { *index = at; }); });
    RETURN_IF_ERROR(wait_until("for the active controller to take this broker into service",
                               [&] { return index->has_value(); }));
    return **index;
}

/// Takes this broker's place in the cluster: registered, logs recovered, then in service.
base::Status Node::Parts::join() {
    if (!settings.cluster.broker) return base::ok();
    ASSIGN_OR_RETURN(const int64_t epoch, register_broker());
    RETURN_IF_ERROR(forget_clean_stop(*store));
    member->service().subscribe(
        home(), [this](const auto& image, const auto& delta) { follower->take(image, delta); });
    RETURN_IF_ERROR(catch_up_to(epoch, "for the metadata up to this broker's registration"));
    io::wait_for([this](auto done) { follower->remove_strays(std::move(done)); });
    const auto image = io::run_on(home(), [this] { return member->service().image(); });
    for (const auto& path : partitions->unclaimed(
             [&image](const base::TopicPartition& id) { return image->partition(id) != nullptr; }))
        spdlog::warn(
            "{} belongs to no topic of this cluster; it is left as it is. If a topic was deleted "
            "just before the last stop, remove the directory by hand; if not, metadata is missing",
            path);
    ASSIGN_OR_RETURN(const int64_t served, enter_service());
    RETURN_IF_ERROR(catch_up_to(served, "for the metadata that says that this broker serves"));
    partitions->maintain_every(std::chrono::seconds(5));
    partitions->scrub(settings.scrub, *donors);
    connections->start();
    rpc_service->open(*services, locals, *forwarder);
    member->set_serving(true);
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

base::Status Node::Parts::stop_broker() {
    constexpr std::chrono::seconds patience{5};
    // Others lead first, while this one still serves.
    const int64_t epoch = io::wait_for<int64_t>([&](auto done) {
        home().post([this, patience, done = std::move(done)]() mutable {
            const auto& image = *member->service().image();
            bool others = false;
            for (const auto& [id, broker] : image.brokers())
                others = others || (id != settings.id && image.active(id));
            const int64_t epoch = registration->epoch();
            if (!others || !image.active(settings.id)) {
                registration->stop();
                return done(epoch);
            }
            registration->withdraw(patience,
                                   [epoch, done = std::move(done)]() mutable { done(epoch); });
        });
    });
    listeners.clear();
    member->set_serving(false);
    rpc_service->stop();
    io::run_on(home(), [this] { lost_leaders->stop(); });
    connections->stop();
    forwarder->stop();
    // Nothing is opened or handed to the groups any more.
    io::wait_for([this](auto done) { follower->stop(std::move(done)); });
    for (int32_t i = 0; i < groups->partitions(); ++i)
        io::wait_for([&](auto done) { groups->remove(i, std::move(done)); });
    disconnect_replicas();
    RETURN_IF_ERROR(partitions->close());
    // Without an epoch it has opened no log, and how it stopped the time before still holds.
    return epoch < 0 ? base::ok() : put_clean_stop(*store, epoch);
}

base::Status Node::Parts::stop() {
    if (std::exchange(stopped, true)) return base::ok();
    base::Status status;
    if (connections) status = stop_broker();
    else if (partitions) disconnect_replicas();
    if (shards) shards->stop();
    if (link) io::run_on(home(), [this] { link->stop(); });
    if (member) member->stop();
    forwarder.reset();
    follower.reset();
    producer_ids.reset();
    registration.reset();
    groups.reset();
    partitions.reset();
    shards.reset();
    connections.reset();
    link.reset();
    member.reset();
    return status;
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() {
    if (const auto status = stop(); !status.ok())
        spdlog::error("stopping: {}", base::message(status));
}

base::Result<std::unique_ptr<Node>> Node::start(const Settings& settings,
                                                std::function<bool()> stopping) {
    return start(settings, io::posix_disk(), std::move(stopping));
}

base::Result<std::unique_ptr<Node>> Node::start(const Settings& settings,
                                                std::shared_ptr<io::Disk> disk,
                                                std::function<bool()> stopping) {
    // Debian's absl is built with its detection of deadlocks on; it would only cost time here.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    std::unique_ptr<Node> node(
        new Node(std::make_unique<Parts>(settings, std::move(disk), std::move(stopping))));
    RETURN_IF_ERROR(node->parts_->open());
    RETURN_IF_ERROR(node->parts_->listen());
    RETURN_IF_ERROR(node->parts_->join());
    return node;
}

base::Status Node::stop() { return parts_->stop(); }

const std::string& Node::cluster_id() const { return parts_->member->cluster_id(); }

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
