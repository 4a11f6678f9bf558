#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/brokers.h"
#include "controller/controller.h"
#include "controller/decision.h"
#include "controller/liveness.h"
#include "replication/replica/replica.h"

namespace replica::sim {

/// The metadata log of a cluster with one partition, by the controller's real decisions. What is
/// decided is committed at once; who learns of it when is up to the simulation.
class Metadata {
  public:
    struct Rules {
        int brokers = 3;
        int replicas = 3;
        int min_isr = 2;
        bool unclean = false;  // elections of whoever is alive
        InstantMs session_ms = 300;
    };
    explicit Metadata(const Rules&);

    /// Called with the row before, after each entry.
    std::function<void(const metadata::Partition& before)> changed;

    const metadata::Image& image() const { return *controller_.image(); }
    const metadata::Image& at(int64_t index) const { return *images_[static_cast<size_t>(index)]; }
    int64_t index() const { return image().position().index; }
    const metadata::Partition& row() const { return *image().partition(partition_); }
    int min_isr() const;
    /// Whoever is alive may be elected.
    bool unclean_elections() const;
    /// What that image says to a broker.
    Assignment assignment(int64_t index) const;

    // Decisions, as they are asked for.
    struct Process {
        base::Uuid incarnation;
        base::Uuid directory;  // of its logs: another one after the disk was lost
        int64_t clean_epoch = -1;
    };
    std::optional<int64_t> enroll(BrokerId, const Process&, InstantMs now);
    struct Beat {
        int64_t epoch = -1;
        int64_t index = 0;
        bool stops = false;
    };
    enum class Pulse { lives, may_stop, unknown };
    Pulse beat(BrokerId, const Beat&, InstantMs now);
    void expire(InstantMs now);
    /// Its process was found dead.
    void lost(BrokerId, int64_t epoch, InstantMs now);
    void fence(BrokerId);
    /// Another controller becomes the active one.
    void take_over(InstantMs now) { sessions_.begin(now); }
    Answer alter(BrokerId asks, int64_t broker_epoch, const Proposal&);
    void move(const std::vector<BrokerId>& to);
    void take_back_move();
    void elect_preferred();
    /// Nobody can lead any more, by the rules.
    bool stuck() const;
    /// An operator accepts the loss.
    void elect_uncleanly();
    void configure(const std::string& option, const std::string& value);

    uint64_t decisions = 0;

  private:
    controller::State state() const { return {image(), static_configs_, BrokerId{0}}; }
    void commit(controller::Records);
    template <class Response>
    Response commit(controller::Decision<Response> d) {
        commit(std::move(d.records));
        return std::move(d.response);
    }

    metadata::Configs static_configs_;
    controller::Controller controller_{metadata::Image::empty()};
    controller::Sessions sessions_;
    std::vector<metadata::ImagePtr> images_;  // by index
    base::TopicPartition partition_{{7, 7}, 0};
    bool loss_accepted_ = false;
};

}  // namespace replica::sim
