#include "broker/cluster_member.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "absl/random/random.h"
#include "broker/call_outcome.h"
#include "broker/formation.h"
#include "io/run_on.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

using controller::rpc::CallResult;
using controller::rpc::JoinReply;
using controller::rpc::JoinRequest;
using controller::rpc::TransferRequest;
using std::chrono::milliseconds;

constexpr milliseconds kApplyEvery{250};
constexpr milliseconds kApplyPatience{1000};
constexpr int kRoundsWithoutLeader = 12;  // longer than an election takes
constexpr milliseconds kHandOverPatience{500};
constexpr milliseconds kHandOverPause{2};

}  // namespace

base::Result<std::unique_ptr<ClusterMember>> ClusterMember::start(
    const Settings& settings, storage::Store& store, const std::string& cluster_id, Events events,
    const std::function<bool()>& stopping, std::vector<grpc::Service*> services) {
    std::unique_ptr<ClusterMember> out(
        new ClusterMember(settings, std::move(events), std::move(services)));
    RETURN_IF_ERROR(out->open(store, cluster_id, stopping));
    RETURN_IF_ERROR(out->connect());
    out->service_->start();
    if (out->peers_) out->home().post([member = out.get()] { member->look_after_membership(); });
    return out;
}

ClusterMember::~ClusterMember() { stop(); }

base::Status ClusterMember::open(storage::Store& store, const std::string& cluster_id,
                                 const std::function<bool()>& stopping) {
    // Their own pool too: what the quorum writes must not wait for the partitions' syncs.
    shards_ = io::Shards::start(1, 2);
    quorum::LogStore::Options log;
    log.id = settings_.id.value;
    log.cluster_id = cluster_id;
    log.address = settings_.cluster.address;
    log.draw = [random = absl::BitGen()]() mutable { return absl::Uniform<uint64_t>(random); };
    ASSIGN_OR_RETURN(auto opened, quorum::LogStore::open(store, std::move(log)));
    if (is_blank(opened)) RETURN_IF_ERROR(form(opened, settings_, home(), stopping));
    cluster_id_ = opened.log->cluster_id();

    controller::Service::Options options;
    options.id = settings_.id;
    options.static_configs = settings_.static_configs;
    for (const auto& voter : settings_.cluster.voters) options.founders.insert(voter.id.value);
    options.session_ms = settings_.cluster.session.count();
    options.send = [this](raft::Message m) {
        if (peers_) peers_->send(std::move(m));
    };
    options.is_controller = [this](const raft::Member& member) {
        return peers_ ? peers_->is_controller(member) : std::nullopt;
    };
    options.on_configuration = [this](const raft::Configuration&) {
        update_roster();
        look_after_membership();
    };
    options.on_standing = [this](const quorum::Standing& s) { standing_changed(s); };
    options.on_failure = [this](const base::Status& why) { events_.on_failure(why); };
    service_ = std::make_unique<controller::Service>(*shards_, home(), std::move(opened),
                                                     std::move(options));
    found_ = service_->configuration();
    return base::ok();
}

base::Status ClusterMember::connect() {
    if (settings_.cluster.listen.empty()) return base::ok();
    client_ = std::make_unique<controller::rpc::Client>(home());
    quorum::PeerOptions options;
    options.cluster = service_->raft_cluster();
    options.self = service_->self();
    options.address = settings_.cluster.address;
    options.controller = settings_.cluster.controller;
    quorum::PeerEvents events;
    events.on_message = [this](raft::Message m) { service_->receive(std::move(m)); };
    events.on_connected = [this](const raft::Member& member) { gone_.erase(member); };
    events.on_unreachable = [this](const raft::Member& member, quorum::Trouble trouble,
                                   const base::Status& why) {
        if (trouble == quorum::Trouble::rejected)
            spdlog::warn("node {} takes no messages of this one: {}", member.id,
                         base::message(why));
        // A session is the stream to the node: nobody listens where it led to, so the process is
        // gone.
        if (trouble != quorum::Trouble::refused) return;
        gone_.insert(member);
        // Where the cluster says that it listens, that is; elsewhere it may be alive.
        if (!by_operator_.contains(member)) service_->process_gone(member);
    };
    peers_ = std::make_unique<quorum::Peers>(home(), std::move(options), std::move(events));
    controller::rpc::Handlers handlers;
    handlers.call = [this](controller::rpc::Call call, auto done) {
        answer(std::move(call), std::move(done));
    };
    handlers.join = [this](const JoinRequest& request, auto done) { done(answer(request)); };
    handlers.transfer = [this](const TransferRequest& request, auto done) {
        done(answer(request));
    };
    endpoint_ = std::make_unique<controller::rpc::Endpoint>(home(), std::move(handlers));
    io::run_on(home(), [this] { update_roster(); });
    if (const auto& file = settings_.cluster.fault_file; !file.empty()) {
        ASSIGN_OR_RETURN(faults_, LinkFaults::start(home(), file, settings_.id.value,
                                                    [this](const auto& nodes) { cut_off(nodes); }));
    }
    transport::Server::Options server;
    server.address = settings_.cluster.listen;
    std::vector<grpc::Service*> services{&peers_->service(), &endpoint_->service()};
    services.insert(services.end(), services_.begin(), services_.end());
    ASSIGN_OR_RETURN(server_, transport::Server::start(server, services));
    return base::ok();
}

bool ClusterMember::gone(base::BrokerId id) const {
    return std::ranges::any_of(gone_, [&](const auto& member) { return member.id == id.value; });
}

void ClusterMember::cut_off(const std::set<int32_t>& nodes) {
    cut_ = nodes;
    peers_->set_cut(nodes);
    client_->set_cut(nodes);
    endpoint_->set_cut(nodes);
    if (events_.on_cut) events_.on_cut(nodes);
}

/// So that an orderly stop of who leads costs nobody an election's wait.
void ClusterMember::hand_over() {
    std::optional<raft::Member> asked;
    io::run_on(home(), [&] {
        if (service_->standing().leader != service_->self()) return;
        const auto voters = service_->configuration().voters;
        for (const auto& [voter, address] : voters) {
            if (voter == service_->self() || gone_.contains(voter)) continue;
            if (service_->transfer_to({voter.id}).ok()) {
                asked = voter;
                return;
            }
        }
    });
    // Until the other one leads: it may need this one's vote.
    for (auto left = kHandOverPatience; asked && left.count() > 0; left -= kHandOverPause) {
        std::this_thread::sleep_for(kHandOverPause);
        io::run_on(home(), [&] {
            const auto& leader = service_->standing().leader;
            const bool led = leader && leader != service_->self();
            if (led) spdlog::info("controller {} leads now, as this node stops", leader->id);
            // Stopped at the same time: nothing is left to wait for.
            if (led || gone_.contains(*asked)) asked.reset();
        });
    }
}

void ClusterMember::set_serving(bool serving) {
    if (server_) server_->set_serving(serving);
}

void ClusterMember::stop() {
    if (std::exchange(stopped_, true)) return;
    if (server_) hand_over();
    if (server_) server_->stop();
    server_.reset();
    if (endpoint_) endpoint_->stop();
    if (client_) client_->stop();
    if (peers_) peers_->stop();
    if (shards_ && service_) {
        io::wait_for([this](auto done) {
            service_->stop([this, done = std::move(done)]() mutable {
                joining_.reset();
                faults_.reset();
                done();
            });
        });
    }
    if (shards_) shards_->stop();
    peers_.reset();
    endpoint_.reset();
    client_.reset();
}

void ClusterMember::standing_changed(const quorum::Standing& now) {
    if (now.active)
        spdlog::info("node {} is the active controller of term {}", settings_.id.value, now.term);
    update_roster();
    look_after_membership();
    events_.on_standing(now);
}

/// Whoever knows this node may speak to it while it has no leader: it may be a new one, that the
/// configuration here does not name yet.
void ClusterMember::update_roster() {
    if (!peers_) return;
    quorum::Roster roster;
    const auto& configuration = service_->configuration();
    roster.members = configuration.members();
    by_operator_.clear();
    if (moved()) {
        // All may have moved. Until the cluster itself says where to, the operator's words hold.
        for (const auto& voter : settings_.cluster.voters)
            for (auto& [member, address] : roster.members)
                if (member.id == voter.id.value && found_.has(member) &&
                    address == found_.address(member)) {
                    address = voter.address;
                    by_operator_.insert(member);
                }
    }
    roster.open = !configuration.has(service_->self()) || !service_->standing().leader;
    std::map<base::BrokerId, std::string> addresses;
    for (const auto& [member, address] : roster.members) addresses[{member.id}] = address;
    peers_->set_roster(std::move(roster));
    if (std::exchange(addresses_, addresses) != addresses && events_.on_addresses)
        events_.on_addresses(addresses_);
}

std::set<std::string> ClusterMember::others() const {
    std::set<std::string> out;
    for (const auto& voter : settings_.cluster.voters) out.insert(voter.address);
    const auto& configuration = service_->configuration();
    for (const auto& [member, address] : configuration.members()) out.insert(address);
    out.erase(settings_.cluster.address);
    return out;
}

bool ClusterMember::moved() const {
    const auto& self = service_->self();
    return found_.has(self) && found_.address(self) != settings_.cluster.address;
}

bool ClusterMember::settled() const {
    const auto& configuration = service_->configuration();
    const auto& self = service_->self();
    const auto founds = [&](const auto& voter) { return voter.id == settings_.id; };
    const bool to_vote = service_->image()->cluster_id().empty() &&
                         std::ranges::any_of(settings_.cluster.voters, founds);
    return (to_vote ? configuration.has_voter(self) : configuration.has(self)) &&
           configuration.address(self) == settings_.cluster.address && service_->standing().leader;
}

void ClusterMember::look_after_membership() {
    if (!peers_ || joining_ || settled()) return;
    rounds_without_leader_ = 0;
    joining_ = home().after(milliseconds(0), [this] { apply_if_outside(); });
}

void ClusterMember::apply_if_outside() {
    joining_.reset();
    if (settled()) return;
    joining_ = home().after(kApplyEvery, [this] { apply_if_outside(); });
    // A member that was taken out is told so by nobody: it hears no leader any more.
    const auto& configuration = service_->configuration();
    const bool led = service_->standing().leader.has_value();
    rounds_without_leader_ = led ? 0 : rounds_without_leader_ + 1;
    if (configuration.has(service_->self()) && !led &&
        rounds_without_leader_ < kRoundsWithoutLeader)
        return;
    const JoinRequest request{service_->self(), settings_.cluster.address, cluster_id_,
                              settings_.cluster.controller};
    if (service_->standing().leader == service_->self()) (void)answer(request);
    for (const auto& address : others())
        client_->join(address, -1, request, kApplyPatience, [](const base::Result<JoinReply>& r) {
            if (r.ok() && !r->refusal.empty()) spdlog::debug("not taken in yet: {}", r->refusal);
        });
}

base::Status ClusterMember::of_this_cluster(const std::string& cluster_id) const {
    if (cluster_id == cluster_id_) return base::ok();
    return base::precondition("this node is of cluster " + cluster_id_ + ", not of " + cluster_id);
}

void ClusterMember::answer(controller::rpc::Call call,
                           base::Function<void(base::Result<CallResult>)> done) {
    if (auto refused = of_this_cluster(call.cluster_id); !refused.ok()) return done(refused);
    controller::Service::Encoded request{static_cast<kafka::ApiKey>(call.api_key), call.api_version,
                                         std::move(call.body)};
    service_->call(std::move(request), [done = std::move(done)](CallOutcome outcome) mutable {
        done(call_result(std::move(outcome)));
    });
}

JoinReply ClusterMember::answer(const JoinRequest& request) {
    JoinReply reply;
    reply.cluster_id = cluster_id_;
    reply.self = service_->self();
    if (request.cluster_id.empty()) {
        reply.refusal = "it has to take the cluster's id first";
    } else if (request.cluster_id != cluster_id_) {
        reply.refusal = "it is of cluster " + request.cluster_id + ", and this is " + cluster_id_;
    } else if (service_->standing().leader != reply.self) {
        reply.refusal = "the leader takes it in";
    } else if (const auto status = service_->apply({request.self, request.address, request.voter});
               !status.ok()) {
        reply.refusal = base::message(status);
        spdlog::warn("node {} asks to be taken in: {}", request.self.id, reply.refusal);
    }
    return reply;
}

base::Status ClusterMember::answer(const TransferRequest& request) {
    RETURN_IF_ERROR(of_this_cluster(request.cluster_id));
    const auto& leader = service_->standing().leader;
    if (leader != service_->self())
        return absl::AbortedError(leader ? "controller " + std::to_string(leader->id) + " leads"
                                         : std::string("no controller is known to lead"));
    RETURN_IF_ERROR(service_->transfer_to(request.to));
    spdlog::info("asked to let controller {} lead", request.to.value);
    return base::ok();
}

}  // namespace broker
