#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "broker/link_faults.h"
#include "broker/settings.h"
#include "controller/quorum/peers.h"
#include "controller/rpc/client.h"
#include "controller/rpc/endpoint.h"
#include "controller/service.h"
#include "io/shard.h"
#include "io/transport/server.h"

namespace grpc {
class Service;
}
namespace storage {
class Store;
}

namespace broker {

/// This node as a member of its cluster's quorum: the metadata log in the store, the controller's
/// service on it, and the gRPC connections to the other nodes, all on a shard of their own, so that
/// clients' requests don't hold up what keeps the cluster together.
class ClusterMember {
  public:
    struct Events {
        /// On the home shard.
        base::Function<void(const quorum::Standing&)> on_standing;
        base::Function<void(const base::Status&)> on_failure;
        /// Who is a member, and its HOST:PORT.
        base::Function<void(const std::map<base::BrokerId, std::string>&)> on_addresses;
        /// From which nodes a fault cuts this one off.
        base::Function<void(const std::set<int32_t>&)> on_cut;
    };
    /// Opens the log. A node with a blank disk founds the cluster together with the other
    /// configured voters, or joins it if there is one; until that is done this blocks, unless
    /// `stopping` says to give up. `cluster_id`: as configured or marked; empty: not known.
    /// `services`: what else is served where other nodes reach this one. They outlive this, and are
    /// called from now on.
    /// kDataLoss and kFailedPrecondition as LogStore::open; kFailedPrecondition too if the address
    /// can't be listened on, or the others are of another cluster; kCancelled.
    static base::Result<std::unique_ptr<ClusterMember>> start(
        const Settings&, storage::Store&, const std::string& cluster_id, Events,
        const std::function<bool()>& stopping, std::vector<grpc::Service*> services = {});
    ~ClusterMember();

    io::Shard& home() { return shards_->at(0); }
    controller::Service& service() { return *service_; }
    /// Null in a cluster that nobody can join.
    controller::rpc::Client* client() { return client_.get(); }
    const std::string& cluster_id() const { return cluster_id_; }
    /// As on_addresses tells when they change. On the home shard.
    const std::map<base::BrokerId, std::string>& addresses() const { return addresses_; }
    /// As on_cut tells. On the home shard.
    const std::set<int32_t>& cut() const { return cut_; }
    /// Whether nobody listens where that node did. On the home shard.
    bool gone(base::BrokerId) const;

    /// What the node's gRPC listener tells who asks for its health. False from the start.
    void set_serving(bool);

    /// Lets another node lead, if this one does. Ends all that reaches other nodes; then the
    /// threads. What is posted to home() afterwards does not run. Blocks.
    void stop();

  private:
    ClusterMember(const Settings& settings, Events events, std::vector<grpc::Service*> services)
        : settings_(settings), events_(std::move(events)), services_(std::move(services)) {}
    base::Status open(storage::Store&, const std::string& cluster_id,
                      const std::function<bool()>& stopping);
    base::Status connect();
    void hand_over();
    void standing_changed(const quorum::Standing&);
    void update_roster();
    /// Whether it has started at another address than its log knew.
    bool moved() const;
    /// Whether it takes part as it should, at its address, and hears who leads.
    bool settled() const;
    void look_after_membership();
    /// Asks the others to be taken in, until it is settled.
    void apply_if_outside();
    void answer(controller::rpc::Call,
                base::Function<void(base::Result<controller::rpc::CallResult>)>);
    controller::rpc::JoinReply answer(const controller::rpc::JoinRequest&);
    base::Status answer(const controller::rpc::TransferRequest&);
    base::Status of_this_cluster(const std::string& cluster_id) const;
    std::set<std::string> others() const;
    void cut_off(const std::set<int32_t>& nodes);

    const Settings& settings_;
    Events events_;
    std::vector<grpc::Service*> services_;
    std::string cluster_id_;
    std::unique_ptr<io::Shards> shards_;
    std::unique_ptr<controller::Service> service_;
    std::unique_ptr<controller::rpc::Client> client_;
    std::unique_ptr<quorum::Peers> peers_;
    std::unique_ptr<controller::rpc::Endpoint> endpoint_;
    std::unique_ptr<transport::Server> server_;
    raft::Configuration found_;           // in the log at the start
    std::set<raft::Member> by_operator_;  // whose address is that of controller.quorum.voters
    std::set<raft::Member> gone_;         // nobody listens there; on the home shard
    std::map<base::BrokerId, std::string> addresses_;
    std::set<int32_t> cut_;
    std::unique_ptr<io::Timer> joining_;
    int rounds_without_leader_ = 0;
    std::unique_ptr<LinkFaults> faults_;
    bool stopped_ = false;
};

}  // namespace broker
