#include "broker/formation.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "absl/random/random.h"
#include "controller/rpc/client.h"
#include "controller/rpc/endpoint.h"
#include "io/run_on.h"
#include "io/transport/server.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

using controller::rpc::JoinReply;
using controller::rpc::JoinRequest;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause{50};
constexpr milliseconds kPatience{1000};  // for one answer
constexpr std::chrono::seconds kTellEvery{5};

/// Answers others that ask, while this node is blank.
class Blank {
  public:
    static base::Result<std::unique_ptr<Blank>> start(const raft::Member& self,
                                                      const Settings& settings, io::Shard& home) {
        auto out = std::unique_ptr<Blank>(new Blank(self, home));
        transport::Server::Options options;
        options.address = settings.cluster.listen;
        ASSIGN_OR_RETURN(out->server_,
                         transport::Server::start(options, {&out->endpoint_->service()}));
        return out;
    }
    ~Blank() {
        if (server_) server_->stop();
        server_.reset();
        endpoint_->stop();
    }

  private:
    Blank(const raft::Member& self, io::Shard& home) {
        controller::rpc::Handlers handlers;
        handlers.call = [](controller::rpc::Call, auto done) {
            done(base::unavailable("this node is of no cluster yet"));
        };
        handlers.join = [self](const JoinRequest&, auto done) {
            JoinReply reply;
            reply.self = self;
            reply.refusal = "this node is of no cluster yet";
            done(std::move(reply));
        };
        handlers.transfer = [](const controller::rpc::TransferRequest&, auto done) {
            done(base::unavailable("this node is of no cluster yet"));
        };
        endpoint_ = std::make_unique<controller::rpc::Endpoint>(home, std::move(handlers));
    }

    std::unique_ptr<controller::rpc::Endpoint> endpoint_;
    std::unique_ptr<transport::Server> server_;
};

using Replies = std::map<int32_t, base::Result<JoinReply>>;

/// Asks all of the others once.
Replies ask(controller::rpc::Client& client, io::Shard& home,
            const std::vector<VoterSettings>& others, const JoinRequest& request) {
    struct Round {
        size_t left;
        base::Function<void(Replies)> done;
        Replies replies;
    };
    return io::wait_for<Replies>([&](auto done) {
        auto round = std::make_shared<Round>(Round{others.size(), std::move(done), {}});
        home.post([&, round] {
            for (const auto& other : others)
                client.join(other.address, other.id.value, request, kPatience,
                            [round, id = other.id.value](base::Result<JoinReply> reply) {
                                round->replies.emplace(id, std::move(reply));
                                if (--round->left == 0) round->done(std::move(round->replies));
                            });
        });
    });
}

class Forming {
  public:
    Forming(quorum::LogStore::Opened& opened, const Settings& settings)
        : opened_(opened), settings_(settings), self_(opened.log->self()) {
        for (const auto& voter : settings.cluster.voters) {
            if (voter.id != settings.id) others_.push_back(voter);
            lowest_ = std::min(lowest_, voter.id.value);
        }
    }

    bool alone() const { return others_.empty(); }
    const std::vector<VoterSettings>& others() const { return others_; }
    JoinRequest request() const {
        return {self_, settings_.cluster.address, opened_.log->cluster_id(),
                settings_.cluster.controller};
    }
    base::Status found() {
        std::string id = opened_.log->cluster_id();
        if (id.empty()) {
            absl::BitGen random;
            id = base::Uuid::from_random(random(), random()).to_string();
        }
        raft::Configuration configuration;
        configuration.voters[self_] = settings_.cluster.address;
        spdlog::info("node {} founds cluster {}", self_.id, id);
        return take(id, configuration);
    }
    /// True once this node is of a cluster.
    base::Result<bool> conclude(const Replies& replies) {
        bool all_blank = true;
        for (const auto& [id, reply] : replies) {
            if (!reply.ok()) {
                all_blank = false;
                continue;
            }
            if (reply->self.id != id)
                return base::precondition("controller.quorum.voters names controller " +
                                          std::to_string(id) + " where controller " +
                                          std::to_string(reply->self.id) + " answers");
            if (reply->cluster_id.empty()) continue;
            RETURN_IF_ERROR(join(id, reply->cluster_id));
            return true;
        }
        const bool founder = settings_.cluster.controller && self_.id == lowest_;
        if (!all_blank || !founder) return false;
        RETURN_IF_ERROR(found());
        return true;
    }

  private:
    base::Status join(int32_t other, const std::string& cluster_id) {
        const auto& mine = opened_.log->cluster_id();
        if (!mine.empty() && mine != cluster_id)
            return base::precondition("controller " + std::to_string(other) + " is of cluster " +
                                      cluster_id + ", but this node's directories or its " +
                                      "configuration say " + mine);
        spdlog::info("node {} joins cluster {}", self_.id, cluster_id);
        return take(cluster_id, {});
    }
    base::Status take(const std::string& id, const raft::Configuration& configuration) {
        ASSIGN_OR_RETURN(opened_.stored, opened_.log->found(id, configuration));
        return base::ok();
    }

    quorum::LogStore::Opened& opened_;
    const Settings& settings_;
    const raft::Member self_;
    std::vector<VoterSettings> others_;
    int32_t lowest_ = INT32_MAX;
};

void tell(const Replies& replies) {
    std::string waiting;
    for (const auto& [id, reply] : replies)
        if (!reply.ok())
            waiting += (waiting.empty() ? "" : "; ") + std::to_string(id) + " (" +
                       base::message(reply.status()) + ")";
    if (waiting.empty()) spdlog::info("waiting for the cluster to be founded");
    else spdlog::info("waiting for controllers {}", waiting);
}

}  // namespace

bool is_blank(const quorum::LogStore::Opened& opened) {
    return opened.stored.state == raft::HardState{} && opened.stored.last == 0 &&
           opened.stored.snapshot == raft::SnapshotInfo{};
}

base::Status form(quorum::LogStore::Opened& opened, const Settings& settings, io::Shard& home,
                  const std::function<bool()>& stopping) {
    Forming forming(opened, settings);
    if (forming.alone()) return forming.found();
    ASSIGN_OR_RETURN(const auto listening, Blank::start(opened.log->self(), settings, home));
    controller::rpc::Client client(home);
    auto told = steady_clock::now();
    while (!stopping()) {
        const auto replies = ask(client, home, forming.others(), forming.request());
        auto formed = forming.conclude(replies);
        if (!formed.ok() || *formed) {
            client.stop();
            return formed.status();
        }
        if (steady_clock::now() - told > kTellEvery) {
            tell(replies);
            told = steady_clock::now();
        }
        std::this_thread::sleep_for(kPause);
    }
    client.stop();
    return absl::CancelledError("stopped while it waited for the other controllers");
}

}  // namespace broker
