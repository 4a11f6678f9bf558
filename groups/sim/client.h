#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/effects.h"
#include "groups/sim/world.h"

namespace groups::sim {

/// What a client asks of the network: each call delivers at most one reply (nothing: timed out).
class Network {
  public:
    virtual ~Network() = default;
    using Reply = std::function<void(const Answer::Body*)>;
    virtual void send(kafka::JoinGroupRequest, int16_t version, int64_t timeout, Reply) = 0;
    virtual void send(kafka::SyncGroupRequest, int16_t version, int64_t timeout, Reply) = 0;
    virtual void send(kafka::HeartbeatRequest, int64_t timeout, Reply) = 0;
    virtual void send(kafka::LeaveGroupRequest, int16_t version, int64_t timeout, Reply) = 0;
    virtual void send(kafka::OffsetCommitRequest, int16_t version, int64_t timeout, Reply) = 0;
};

/// A consumer: joins, computes assignments when it leads, syncs, heartbeats, commits, leaves,
/// crashes, returns. Models the assignors that clients have, eager and cooperative (KIP-429).
class Client {
  public:
    struct Traits {
        int index = 0;
        std::string group;
        std::optional<std::string> instance_id;
        int16_t join_version = 9;
        bool cooperative = false;
        std::vector<std::string> protocols;
        int partitions = 1;
        int32_t session_timeout_ms = 10'000;
        int32_t rebalance_timeout_ms = 20'000;
    };
    enum class State : uint8_t { down, joining, syncing, stable, fenced };

    Client(World& world, Network& network, Traits traits, int64_t& next_offset)
        : world_(world), network_(network), traits_(std::move(traits)), next_offset_(next_offset) {}

    void start();
    /// Vanishes without a word.
    void crash();
    void leave();
    /// Joins again with metadata changed, or just so.
    void rejoin(bool changed);
    void pause(int64_t ms) { paused_until_ = world_.now() + ms; }
    void commit();
    /// Commits with a member id and generation of the past.
    void commit_as_zombie();

    const Traits& traits() const { return traits_; }
    State state() const { return state_; }
    const std::string& member_id() const { return member_id_; }
    int32_t generation() const { return generation_; }
    /// Partitions it believes to own, since its last successful sync in `generation()`.
    const std::set<int>& owned() const { return owned_; }
    bool up() const { return state_ != State::down && state_ != State::fenced; }

  private:
    struct Claim {
        std::set<int> owned;
        int32_t generation = -1;
    };

    void join();
    void on_join(const kafka::JoinGroupResponse&);
    void sync(std::vector<kafka::SyncGroupRequest::SyncGroupRequestAssignment>);
    void on_sync(const kafka::SyncGroupResponse&);
    void heartbeat(uint64_t generation_of_loop);
    void send_commit(const std::string& member_id, int32_t generation);
    void lose_membership();
    void retry(kafka::ErrorCode);
    void join_later(int64_t delay);
    base::Bytes metadata() const;
    static Claim claim_of(const base::Bytes& metadata);
    std::vector<kafka::SyncGroupRequest::SyncGroupRequestAssignment> assign(
        const kafka::JoinGroupResponse&) const;
    /// A reply reaches the client only in the life and step that asked for it.
    template <class Response>
    Network::Reply expect(void (Client::*on)(const Response&));

    World& world_;
    Network& network_;
    Traits traits_;
    int64_t& next_offset_;
    State state_ = State::down;
    uint64_t step_ = 0;
    std::string member_id_;
    int32_t generation_ = -1;
    std::string protocol_;
    std::set<int> owned_;
    int nonce_ = 0;
    base::InstantMs paused_until_ = 0;
    std::optional<std::pair<std::string, int32_t>> past_;
};

}  // namespace groups::sim
