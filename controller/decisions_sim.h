#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "controller/brokers.h"
#include "controller/controller.h"
#include "controller/elections.h"
#include "kafka/messages/alter_partition.h"

namespace controller {

/// The controller's decisions on one image, drawn from a seed: brokers that start, stop, crash and
/// lose what they had not synced or their disk, are fenced rightly and wrongly, and act on old
/// views of the image; leaders that change their in-sync replicas; topics, configs, elections,
/// reassignments. Two nodes replay every decision. A model knows which replica has how much of what
/// was acknowledged, and after each decision everything is checked that has to hold.
class DecisionsSim {
  public:
    /// Faults planted between the decisions and the image, which the checks must notice.
    enum class Fault {
        none,
        fenced_stays_in_isr,
        fenced_stays_leader,
        elr_is_kept,
        elr_is_forgotten,
        nobody_is_elected,
        any_replica_is_elected,
        old_rows_are_altered,
        old_processes_join_the_isr,
        every_stop_is_clean,
        unclean_is_not_recorded,
        moves_end_at_once,
        leader_epoch_stays,
        retry_is_a_new_broker,
        lost_disks_are_not_told,
        one_node_skips_a_record,
    };
    static constexpr int kFaults = static_cast<int>(Fault::one_node_skips_a_record);

    DecisionsSim(uint64_t seed, Fault fault) : fault_(fault), random_(seed) {}
    /// What broke, with the step; empty: nothing.
    std::string run();

    struct Totals {
        uint64_t decisions = 0, elections = 0, unclean = 0, acknowledged = 0;
    };
    const Totals& totals() const { return totals_; }

  private:
    struct Process {
        bool running = false;
        bool crashed = false;  // since it registered
        bool wants_shutdown = false;
        base::Uuid incarnation;
        base::Uuid log_dir;
        int64_t epoch = -1;
        int64_t clean_epoch = -1;  // as its last orderly stop left it
        std::optional<int64_t> withdrawn;
    };
    struct Proposal {
        kafka::AlterPartitionRequest request;
        base::TopicPartition partition;
    };
    /// What the replicas of a partition really have: values are counted, 1…acknowledged.
    struct Data {
        int64_t acknowledged = 0;
        std::map<base::BrokerId, int64_t> has;
        std::set<base::BrokerId> blank;  // their disk was replaced, as they will have to tell
        std::map<base::LeaderEpoch, base::BrokerId> leaders;
    };

    uint64_t draw(uint64_t n) { return random_() % n; }
    bool chance(uint64_t percent) { return draw(100) < percent; }
    const metadata::Image& image() const { return *first_.image(); }
    State state() const { return {image(), static_configs_, base::BrokerId{0}}; }
    std::vector<base::TopicPartition> all_partitions() const;
    std::optional<base::TopicPartition> any_partition();
    bool at_work(base::BrokerId) const;
    void wrong(const std::string& what);

    void step();
    void start(base::BrokerId);
    void stop(base::BrokerId);
    void lose_disk(base::BrokerId);
    void beat(base::BrokerId);
    void fence();
    void unregister();
    void change_topics();
    void change_configs();
    void acknowledge();
    void acknowledge(const base::TopicPartition&);
    void hand_out_producer_ids(base::BrokerId);
    void propose();
    void deliver();
    void ask_for_elections();
    void move();
    void change_features();

    template <class Response>
    Response commit(Decision<Response> decision) {
        take(std::move(decision.records));
        return std::move(decision.response);
    }
    void take(Records);
    void plant(Records&);
    void plant(v1::PartitionChange&);
    void check(const metadata::Image& before);
    void check_row(const metadata::Partition&, size_t min_isr);
    void check_change(const metadata::Partition& before, const metadata::Partition&,
                      size_t min_isr);
    void check_leader(const metadata::Partition& before, const metadata::Partition&, Data&,
                      bool any_may_lead);
    void check_data(const metadata::Partition&, Data&);

    const Fault fault_;
    std::mt19937_64 random_;
    metadata::Configs static_configs_;
    Controller first_{metadata::Image::empty()}, second_{metadata::Image::empty()};
    std::vector<metadata::ImagePtr> views_;  // that brokers may still have
    std::map<base::BrokerId, Process> processes_;
    std::map<base::TopicPartition, Data> data_;
    std::vector<Proposal> proposals_;
    std::set<base::BrokerId> joining_;  // the ISR, by the decision under way
    std::optional<base::BrokerId> fencing_;
    std::optional<base::BrokerId> unclean_;   // registers after a crash
    std::optional<base::BrokerId> resigned_;  // nobody may rely on what it has of a partition
    bool any_may_lead_ = false;               // an unclean election was asked for
    int64_t next_producer_id_ = 0;
    uint64_t ids_ = 0;
    int step_ = 0;
    std::string failure_;
    Totals totals_;
};

}  // namespace controller
