#pragma once
#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "controller/quorum/peers.h"
#include "io/run_on.h"
#include "io/transport/server.h"

namespace quorum {

using namespace std::chrono_literals;

inline const base::Uuid kTestCluster{0xc1, 0xc2};

inline raft::Member member(int32_t id, uint64_t incarnation = 1) {
    return {id, {static_cast<uint64_t>(id) + 100, incarnation}};
}

struct Seen {
    raft::Member member;
    Trouble trouble{};
    base::Status status;
};

/// A member on loopback: a shard, its peers and their server, and what they told.
class TestNode {
  public:
    explicit TestNode(raft::Member self, uint16_t port = 0, PeerOptions options = {},
                      const base::Uuid& cluster = kTestCluster)
        : self_(self) {
        options.cluster = cluster;
        options.self = self;
        options.address = "127.0.0.1:" + std::to_string(port);
        peers_ = std::make_unique<Peers>(
            shard(), options,
            PeerEvents{
                [this](raft::Message m) { tell([&] { messages_.push_back(std::move(m)); }); },
                [this](const raft::Member& m) { tell([&] { connected_.push_back(m); }); },
                [this](const raft::Member& m, Trouble t, const base::Status& s) {
                    tell([&] { troubles_.push_back({m, t, s}); });
                }});
        set_roster({});  // a sanitizer does not see that gRPC starts its threads after all that
        auto server = transport::Server::start(
            {.address = options.address, .most_message_bytes = options.most_message_bytes},
            {&peers_->service()});
        CHECK(server.ok()) << server.status();
        server_ = *std::move(server);
    }
    ~TestNode() { stop(); }
    void stop() {
        peers_->stop();
        server_->stop();
        shards_->stop();
    }

    const raft::Member& self() const { return self_; }
    uint16_t port() const { return server_->port(); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
    io::Shard& shard() { return shards_->at(0); }
    Peers& peers() { return *peers_; }
    transport::Server& server() { return *server_; }

    template <class F>
    auto on_shard(F work) {
        return io::run_on(shard(), std::move(work));
    }
    void set_roster(Roster roster) {
        on_shard([&] { peers_->set_roster(std::move(roster)); });
    }
    void know(const std::vector<const TestNode*>& others) {
        Roster roster;
        for (const auto* other : others) roster.members.emplace(other->self(), other->address());
        set_roster(std::move(roster));
    }
    raft::Message message(const raft::Member& to, raft::Term term,
                          decltype(raft::Message::body) body = raft::VoteReply{}) const {
        return {kTestCluster, self_, to, term, std::move(body)};
    }
    void send(const raft::Member& to, raft::Term term,
              decltype(raft::Message::body) body = raft::VoteReply{}) {
        on_shard([&] { peers_->send(message(to, term, std::move(body))); });
    }
    std::vector<Peers::State> states() {
        return on_shard([&] { return peers_->states(); });
    }

    /// What it has told, once `enough` says so; fails the test after a long time.
    template <class F>
    bool wait(F enough) {
        std::unique_lock lock(mutex_);
        const bool came = told_.wait_for(lock, 20s, [&] { return enough(); });
        EXPECT_TRUE(came) << messages_.size() << " messages, " << troubles_.size() << " troubles";
        return came;
    }
    std::vector<raft::Message> wait_messages(size_t count) {
        wait([&] { return messages_.size() >= count; });
        std::scoped_lock lock(mutex_);
        return std::exchange(messages_, {});
    }
    /// The next time that a stream to `to` is open.
    void wait_connected(const raft::Member& to) {
        wait([&] { return std::erase(connected_, to) > 0; });
    }
    /// The next trouble of that kind, or of any.
    Seen wait_trouble(std::optional<Trouble> trouble = std::nullopt) {
        Seen found;
        wait([&] {
            for (auto& seen : troubles_)
                if (!trouble || seen.trouble == *trouble) {
                    found = seen;
                    troubles_.clear();
                    return true;
                }
            return false;
        });
        return found;
    }
    size_t message_count() {
        std::scoped_lock lock(mutex_);
        return messages_.size();
    }

  private:
    template <class F>
    void tell(F what) {
        std::scoped_lock lock(mutex_);
        what();
        told_.notify_all();
    }

    const raft::Member self_;
    std::mutex mutex_;
    std::condition_variable told_;
    std::vector<raft::Message> messages_;
    std::vector<raft::Member> connected_;
    std::vector<Seen> troubles_;
    std::unique_ptr<io::Shards> shards_ = io::Shards::start(1, 1);
    std::unique_ptr<Peers> peers_;
    std::unique_ptr<transport::Server> server_;
};

/// Makes all of them know each other, and waits until they are connected.
inline void introduce(const std::vector<TestNode*>& nodes) {
    for (auto* node : nodes) node->know({nodes.begin(), nodes.end()});
    for (auto* node : nodes)
        for (auto* other : nodes)
            if (node != other) node->wait_connected(other->self());
}

}  // namespace quorum
