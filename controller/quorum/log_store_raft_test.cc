// Three controllers with Raft itself and a log store each, on disks that fail and forget: what was
// committed once is in every image in the end.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "controller/quorum/log_store.h"
#include "controller/quorum/testing.h"
#include "controller/raft/raft.h"
#include "metadata/snapshot.h"

namespace quorum {
namespace {

constexpr base::Uuid kId{5, 5};

LogStore::Options options_for(int32_t id) {
    auto options = options_of(id);
    options.draw = [n = static_cast<uint64_t>(id) * 1000]() mutable { return ++n; };
    return options;
}

struct Node {
    std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>();
    std::unique_ptr<LogStore> log;
    std::unique_ptr<raft::Raft> raft;
    metadata::ImagePtr image;
    metadata::ImagePtr to_compact;

    void start(int32_t id, uint64_t seed) {
        auto opened = LogStore::open(*store, options_for(id));
        CHECK(opened.ok()) << opened.status();
        raft.reset();
        log = std::move(opened->log);
        image = std::move(opened->image);
        to_compact.reset();
        raft::Options options{.self = log->self(), .cluster = kId};
        options.most_append_entries = 4;
        options.most_log_bytes_in_memory = 200;
        raft = std::make_unique<raft::Raft>(options, opened->stored, *log, seed);
        CHECK(raft->failure().ok()) << raft->failure();
    }

    base::Status write(const raft::Write& w) {
        std::vector<std::string> chunks;
        if (w.compact) {
            CHECK(to_compact && to_compact->position().index == w.compact->position.index);
            chunks = chunks_of(*std::exchange(to_compact, nullptr), 100);
        }
        RETURN_IF_ERROR(log->write(w, chunks));
        if (!w.install) return base::ok();
        ASSIGN_OR_RETURN(image, log->snapshot_image());
        to_compact.reset();
        return base::ok();
    }

    void apply() {
        for (auto& e : raft->to_apply(image->position().index, 1000)) {
            metadata::Delta delta{image};
            metadata::v1::Entry entry;
            const bool data = e.kind == raft::EntryKind::data;
            CHECK(!data || entry.ParseFromString(e.data));
            for (const auto& record : entry.records()) CHECK(delta.replay(record).ok());
            image = delta.apply({image->position().index + 1, e.term});
        }
    }

    void compact() {
        if (to_compact || image->position().index <= raft->log().snapshot().index) return;
        to_compact = image;
        raft->compact(image->position().index);
    }
};

class Cluster {
  public:
    explicit Cluster(uint64_t seed) : random_(seed) {
        raft::Configuration founding;
        for (auto& [id, node] : nodes_) {
            auto opened = LogStore::open(*node.store, options_for(id));
            CHECK(opened.ok());
            founding.voters.emplace(opened->log->self(), "host");
        }
        for (auto& [id, node] : nodes_) {
            auto opened = LogStore::open(*node.store, options_for(id));
            CHECK(opened.ok() && opened->log->found(kCluster, founding).ok());
            node.start(id, random_());
        }
    }

    void step() {
        auto& [id, node] = *std::next(nodes_.begin(), static_cast<long>(below(3)));
        const auto what = below(100);
        if (what < 30) node.raft->tick();
        else if (what < 33) return crash(id, node);
        else if (what < 36) node.compact();
        else if (what < 60) propose(node);
        else if (!messages_.empty()) deliver(below(10) == 0);
        drain(id, node);
    }

    /// Nothing fails any more, until all have applied the same.
    bool heal() {
        for (int round = 0; round < 2000; ++round) {
            for (auto& [id, node] : nodes_) {
                node.raft->tick();
                drain(id, node);
            }
            while (!messages_.empty()) deliver(false);
            if (round % 50 == 49 && same()) return true;
        }
        return false;
    }
    bool same() {
        for (auto& [id, node] : nodes_)
            if (node.image->position() != nodes_.at(1).image->position() ||
                node.image->position().index < node.raft->log().last())
                return false;
        return true;
    }
    std::map<int32_t, Node>& nodes() { return nodes_; }
    /// Topics that some member saw committed.
    const std::set<std::string>& committed() const { return committed_; }
    uint64_t installed = 0;

  private:
    uint64_t below(uint64_t n) { return random_() % n; }

    void propose(Node& node) {
        if (node.raft->propose(topic_data(next_topic_)).ok()) ++next_topic_;
    }
    void deliver(bool lost) {
        auto m = std::move(messages_.front());
        messages_.pop_front();
        if (lost) return;
        const auto id = m.to.id;
        auto& to = nodes_.at(id);
        to.raft->step(std::move(m));
        drain(id, to);
    }
    void drain(int32_t id, Node& node) {
        for (auto& m : node.raft->take_messages()) messages_.push_back(std::move(m));
        while (auto write = node.raft->take_write()) {
            installed += write->install.has_value();
            CHECK(node.write(*write).ok());
            node.raft->written();
            for (auto& m : write->then_send) messages_.push_back(std::move(m));
            for (auto& m : node.raft->take_messages()) messages_.push_back(std::move(m));
        }
        node.apply();
        CHECK(node.raft->failure().ok()) << "node " << id << ": " << node.raft->failure();
        for (const auto& [name, topic] : node.image->topics()) committed_.insert(name);
    }
    /// In the midst of a write, if there is one, which may be kept or not.
    void crash(int32_t id, Node& node) {
        propose(node);
        if (auto write = node.raft->take_write()) {
            node.store->fail_write();
            CHECK(!node.write(*write).ok());
        }
        node.store = below(3) == 0 ? node.store->after_process_crash()
                                   : node.store->after_power_loss(random_());
        node.start(id, random_());
    }

    std::mt19937_64 random_;
    std::map<int32_t, Node> nodes_ = [] {
        std::map<int32_t, Node> nodes;
        for (int32_t id = 1; id <= 3; ++id) nodes[id];
        return nodes;
    }();
    std::deque<raft::Message> messages_;
    std::set<std::string> committed_;
    uint64_t next_topic_ = 1;
};

TEST(LogStoreRaft, WhatIsCommittedIsInEveryImageInTheEnd) {
    uint64_t installed = 0;
    size_t committed = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Cluster cluster(seed);
        for (int i = 0; i < 1500; ++i) cluster.step();
        ASSERT_TRUE(cluster.heal());
        const auto hash = metadata::hash(*cluster.nodes().at(1).image);
        for (const auto& [id, node] : cluster.nodes()) {
            ASSERT_EQ(metadata::hash(*node.image), hash) << "node " << id;
            for (const auto& topic : cluster.committed())
                ASSERT_TRUE(node.image->topic(topic)) << topic << " on node " << id;
        }
        installed += cluster.installed;
        committed += cluster.committed().size();
    }
    EXPECT_GT(installed, 20u) << "snapshots that were sent";
    EXPECT_GT(committed, 1000u);
}

}  // namespace
}  // namespace quorum
