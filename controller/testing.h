#pragma once
#include <initializer_list>
#include <string>
#include <vector>

#include "base/check.h"
#include "controller/brokers.h"
#include "controller/controller.h"
#include "controller/decision.h"
#include "metadata/records.h"
#include "metadata/snapshot.h"

namespace controller {

/// A cluster for tests: brokers 0…n-1, active, and whatever was decided and replayed since.
class TestCluster {
  public:
    explicit TestCluster(int brokers, std::vector<std::string> racks = {}) {
        Records records{metadata::cluster_record("test")};
        for (int id = 0; id < brokers; ++id) {
            metadata::Broker b;
            b.id = base::BrokerId{id};
            b.epoch = 1;
            b.fenced = false;
            if (!racks.empty()) b.rack = racks[static_cast<size_t>(id) % racks.size()];
            records.push_back(metadata::broker_record(b));
        }
        replay(std::move(records));
    }

    void replay(Records records) {
        Entry entry{{image()->position().index + 1, 1}, std::move(records)};
        auto delta = controller_.replay({&entry, 1});
        CHECK(delta.ok()) << delta.status();
    }
    template <class Response>
    Response commit(Decision<Response> decision) {
        replay(std::move(decision.records));
        return std::move(decision.response);
    }

    const metadata::ImagePtr& image() const { return controller_.image(); }
    State state() const { return {*image(), static_configs, base::BrokerId{0}}; }
    base::TopicId next_id() { return {1, ++ids_}; }
    std::vector<base::TopicId> next_ids(size_t n) {
        std::vector<base::TopicId> out(n);
        for (auto& id : out) id = next_id();
        return out;
    }
    void fence(int id) {
        v1::Record r;
        r.mutable_broker_change()->set_broker_id(id);
        r.mutable_broker_change()->set_broker_epoch(1);
        r.mutable_broker_change()->set_fenced(true);
        replay({r});
    }

    metadata::Configs static_configs;

  private:
    Controller controller_{metadata::Image::empty()};
    uint64_t ids_ = 0;
};

/// The image as a node has it that got a snapshot; empty, which no check takes for the same, if the
/// snapshot can't be read.
inline metadata::ImagePtr through_a_snapshot(const metadata::Image& image) {
    Records records;
    metadata::for_each_record(image, [&](const v1::Record& r) { records.push_back(r); });
    auto again = metadata::image_of(records, image.position());
    return again.ok() ? *again : metadata::Image::empty();
}

/// The heartbeat of a broker that has seen all and wants to serve.
inline auto beat(const State& state, base::BrokerId id, int64_t epoch) {
    return heartbeat(
        state, {.broker = id, .epoch = epoch, .metadata_index = state.image.position().index}, {});
}

}  // namespace controller
