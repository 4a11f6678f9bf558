#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/raft/raft.h"
#include "controller/raft/sim/disk.h"
#include "controller/raft/sim/ghost.h"

namespace raft::sim {

/// Members with their disks, carried out as a shell would, and watched by the ghost. When a message
/// or a write arrives is up to whoever runs it: the simulation with its chance, a script by its
/// commands.
class Cluster {
  public:
    struct Outside {
        std::function<void(Message)> send;
        /// The node has a write out: node.out. It ends in finish_write() or crash().
        std::function<void(Node&)> write;
        std::function<void(const std::string&)> trace;
        std::function<uint64_t()> draw;
    };
    Cluster(Options options, int parts, Outside outside)
        : options_(options), parts_(parts), outside_(std::move(outside)) {}

    /// Nodes 0 to voters - 1 found the cluster, the others wait to be added.
    void found(int voters, int nodes);
    Ghost& ghost() { return ghost_; }
    std::map<int, Node>& nodes() { return nodes_; }
    Node& node(int id) { return nodes_.at(id); }
    Node* leader();
    /// Whether the member's disk was not lost since.
    bool lives(const Member& m) const;

    void start(Node&);
    /// `landed`: the write that is out became durable all the same.
    void crash(Node&, bool landed);
    /// The disk is lost, and the node comes back, down as yet, with an empty one.
    void wipe(Node&);
    void deliver(const Message&);
    void tick(Node&);
    void finish_write(Node&);
    void fail_write(Node&, bool landed);
    bool propose(Node&, std::string data);
    bool change(Node&, const Change&);
    bool read(Node&);
    bool transfer(Node&, const Member& to);
    void gone(Node&, const Member& leader);
    /// A snapshot of the state as applied.
    bool compact(Node&);
    /// The applied state becomes durable.
    void keep_state(Node& node) { node.disk->keep(node.state); }

    uint64_t reads_answered = 0;
    uint64_t snapshots_installed = 0;
    uint64_t changes = 0;

  private:
    void land(Node&);
    /// Carries out what the node has to say after an event.
    void drain(Node&);
    void send(Message);
    void apply(Node&);

    Options options_;
    int parts_;
    Outside outside_;
    Ghost ghost_;
    std::map<int, Node> nodes_;
    std::vector<std::unique_ptr<Disk>> lost_;
    uint64_t incarnations_ = 0;
    uint64_t last_read_ = 0;
};

std::string describe(const Message&);

}  // namespace raft::sim
