#include "controller/decisions_sim.h"

#include <algorithm>

#include "controller/broker_ids.h"
#include "controller/configs.h"
#include "controller/features.h"
#include "controller/partitions.h"
#include "controller/reassignments.h"
#include "controller/rebalance.h"
#include "controller/topics.h"
#include "metadata/records.h"

namespace controller {

namespace {

using base::BrokerId;
using base::TopicPartition;
using kafka::ErrorCode;

}  // namespace

std::string DecisionsSim::run() {
    take({metadata::cluster_record("simulated"),
          metadata::feature_record(kMetadataVersion, chance(50) ? 1 : kLevelWithRecovery)});
    const auto brokers = static_cast<int32_t>(3 + draw(4));
    for (int32_t id = 0; id < brokers; ++id) processes_[BrokerId{id}];
    for (step_ = 1; step_ <= 400 && failure_.empty(); ++step_) step();
    return failure_;
}

void DecisionsSim::wrong(const std::string& what) {
    if (failure_.empty()) failure_ = "step " + std::to_string(step_) + ": " + what;
}

std::vector<TopicPartition> DecisionsSim::all_partitions() const {
    std::vector<TopicPartition> all;
    for (const auto& [name, topic] : image().topics())
        for (const auto& p : topic->partitions) all.push_back({topic->id, p->index});
    return all;
}

std::optional<TopicPartition> DecisionsSim::any_partition() {
    const auto all = all_partitions();
    if (all.empty()) return std::nullopt;
    return all[draw(all.size())];
}

/// Its process runs, and is the one that the controller knows.
bool DecisionsSim::at_work(BrokerId id) const {
    const Process& process = processes_.at(id);
    const auto* broker = image().broker(id);
    return process.running && broker && broker->epoch == process.epoch && !broker->fenced;
}

void DecisionsSim::step() {
    const BrokerId id{static_cast<int32_t>(draw(processes_.size()))};
    const bool running = processes_[id].running;
    switch (draw(20)) {
        case 0:
        case 1:
            return start(id);
        case 2:
            return running ? stop(id) : start(id);
        case 3:
            return fence();
        case 4:
            return chance(10) ? unregister() : beat(id);
        case 5:
            return change_topics();
        case 6:
            return change_configs();
        case 7:
            return ask_for_elections();
        case 8:
            return chance(50) ? move() : beat(id);
        case 9:
            return chance(10)   ? change_features()
                   : chance(20) ? hand_out_producer_ids(id)
                                : beat(id);
        case 10:
        case 11:
        case 12:
            return propose();
        case 13:
        case 14:
        case 15:
            return deliver();
        case 16:
        case 17:
            return acknowledge();
        default:
            return beat(id);
    }
}

void DecisionsSim::start(BrokerId id) {
    Process& process = processes_[id];
    metadata::Broker broker;
    broker.id = id;
    broker.incarnation = process.incarnation;
    broker.rack = std::string(1, static_cast<char>('a' + id.value % 3));
    broker.features = supported_features();
    if (process.log_dir.is_zero()) process.log_dir = {3, ++ids_};
    if (!process.running && chance(4)) lose_disk(id);
    broker.log_dirs = {process.log_dir};
    if (fault_ == Fault::lost_disks_are_not_told) broker.log_dirs.clear();
    const int64_t next = image().position().index + 1;
    if (process.running) {
        const auto* known = image().broker(id);
        if (!known || known->epoch != process.epoch) return;
        if (chance(50)) {
            broker.incarnation = {++ids_, 77};
            auto other = register_broker(state(), Registration{broker}, next, true);
            if (other || other.error().code != ErrorCode::duplicate_broker_registration)
                wrong("two processes of one broker");
            return;
        }
        if (fault_ == Fault::retry_is_a_new_broker) broker.incarnation = {++ids_, 77};
        auto again = register_broker(state(), Registration{broker}, next, false);
        if (!again || again->response != process.epoch) return wrong("a retry is a new broker");
        commit(*std::move(again));
        return;
    }
    process.incarnation = broker.incarnation = {++ids_, 77};
    int64_t clean_epoch = process.clean_epoch;
    if (fault_ == Fault::every_stop_is_clean && image().broker(id))
        clean_epoch = image().broker(id)->epoch;
    const auto* before = image().broker(id);
    if (!before || before->epoch != process.clean_epoch || process.crashed) unclean_ = id;
    auto outcome = register_broker(state(), Registration{broker, clean_epoch}, next, false);
    if (!outcome) return wrong("not registered: " + outcome.error().message);
    process.running = true;
    process.crashed = process.wants_shutdown = false;
    process.withdrawn.reset();
    process.clean_epoch = -1;
    process.epoch = commit(*std::move(outcome));
    if (process.epoch != next) wrong("a new process has an old epoch");
}

void DecisionsSim::stop(BrokerId id) {
    Process& process = processes_[id];
    if (chance(50)) {
        process.wants_shutdown = true;
        return beat(id);
    }
    process.running = false;
    process.crashed = true;
    process.clean_epoch = -1;
    for (auto& [tp, data] : data_) {
        auto it = data.has.find(id);
        if (it == data.has.end() || chance(30)) continue;
        it->second -= std::min<int64_t>(it->second, static_cast<int64_t>(draw(3)));
    }
    if (chance(50)) return;
    start(id);  // before anybody has noticed
    beat(id);
}

void DecisionsSim::lose_disk(BrokerId id) {
    Process& process = processes_[id];
    process.log_dir = {3, ++ids_};
    process.crashed = true;
    for (auto& [tp, data] : data_) {
        const auto it = data.has.find(id);
        if (it == data.has.end()) continue;
        it->second = 0;
        // Not of one that the controller does not know, nor where nobody else could have anything.
        const auto* row = image().partition(tp);
        if (image().broker(id) && row && row->replicas.size() > 1) data.blank.insert(id);
    }
}

void DecisionsSim::beat(BrokerId id) {
    Process& process = processes_[id];
    if (!process.running) return;
    if (chance(10)) process.wants_shutdown = false;  // called off
    const int64_t now = image().position().index;
    Heartbeat beat{.broker = id,
                   .epoch = process.epoch,
                   .metadata_index = chance(70) ? now : now - static_cast<int64_t>(draw(20)),
                   .wants_fence = chance(3),
                   .wants_shutdown = process.wants_shutdown};
    const auto* known = image().broker(id);
    const bool stale = !known || known->epoch != process.epoch;
    auto outcome = heartbeat(state(), beat, {process.withdrawn, now}, 1 + draw(4));
    if (outcome.ok() == stale) return wrong("an old process has its say");
    if (stale) {
        process.running = false;  // it learns that it was unregistered, and stops
        process.crashed = true;
        return;
    }
    if (beat.wants_fence && !known->fenced) fencing_ = id;
    const auto answer = commit(*std::move(outcome));
    if (answer.leads_nothing && leads(image(), id)) wrong("it leads something");
    if (!answer.leads_nothing) process.withdrawn.reset();
    else if (!process.withdrawn) process.withdrawn = image().position().index;
    const bool serves =
        !beat.wants_shutdown && !beat.wants_fence && beat.metadata_index >= process.epoch;
    if (serves && !image().active(id)) wrong("it wants to serve, and may not");
    if (answer.may_stop) {
        process.running = false;
        process.clean_epoch = process.epoch;
    }
}

void DecisionsSim::fence() {
    std::vector<BrokerId> serving, dead;
    for (const auto& [id, broker] : image().brokers())
        if (!broker->fenced) (processes_[id].running ? serving : dead).push_back(id);
    auto& of = !dead.empty() && chance(80) ? dead : serving;
    if (of.empty()) return;
    const BrokerId id = of[draw(of.size())];
    fencing_ = id;
    commit(*fence_broker(state(), id, image().broker(id)->epoch));
}

void DecisionsSim::unregister() {
    if (image().brokers().size() < 3) return;
    const BrokerId id{static_cast<int32_t>(draw(processes_.size()))};
    auto outcome = unregister_broker(state(), id);
    if (!outcome) return;
    commit(*std::move(outcome));
    for (auto& [tp, data] : data_) data.blank.erase(id);  // nobody remembers its disk
}

void DecisionsSim::change_topics() {
    const auto topics = image().topics().size();
    if (topics > 3 && chance(50)) {
        kafka::DeleteTopicsRequest request;
        request.topics.push_back({image().topics().begin()->key, {}});
        commit(delete_topics(state(), request));
        return;
    }
    if (topics > 0 && chance(30)) {
        const auto& topic = image().topics().begin()->value;
        kafka::CreatePartitionsRequest request;
        auto& t = request.topics.emplace_back();
        t.name = topic->name;
        t.count = static_cast<int32_t>(topic->partitions.size() + 1);
        if (t.count < 6) commit(create_partitions(state(), request, draw(100)));
        return;
    }
    if (topics > 5) return;
    kafka::CreateTopicsRequest request;
    auto& t = request.topics.emplace_back();
    t.name = "t" + std::to_string(++ids_);
    t.num_partitions = static_cast<int32_t>(1 + draw(3));
    t.replication_factor = static_cast<int16_t>(1 + draw(4));
    const base::TopicId id{5, ids_};
    commit(create_topics(state(), request, {&id, 1}, draw(100)));
}

void DecisionsSim::change_configs() {
    const auto tp = any_partition();
    if (!tp) return;
    kafka::IncrementalAlterConfigsRequest request;
    auto& r = request.resources.emplace_back();
    r.resource_type = 2;
    r.resource_name = image().topic(tp->topic)->name;
    auto& c = r.configs.emplace_back();
    const bool unclean = chance(30);
    c.name = unclean ? "unclean.leader.election.enable" : "min.insync.replicas";
    c.value = unclean ? (chance(20) ? "true" : "false") : std::to_string(1 + draw(3));
    if (chance(20)) c.config_operation = 1;
    commit(incremental_alter_configs(state(), request));
}

void DecisionsSim::acknowledge() {
    for (const auto& tp : all_partitions())
        if (chance(40)) acknowledge(tp);
}

void DecisionsSim::acknowledge(const TopicPartition& tp) {
    const auto topic = image().topic(tp.topic);
    const auto* p = topic->partition(tp.index);
    if (p->leader == metadata::kNoBroker || !at_work(p->leader)) return;
    if (p->isr.size() <
        static_cast<size_t>(metadata::min_isr(state().configs(), topic->name, p->replicas.size())))
        return;
    // All of the maximal ISR have to have it: those that the leader has proposed too.
    std::set<BrokerId> members(p->isr.begin(), p->isr.end());
    for (const auto& proposal : proposals_)
        if (proposal.partition == tp)
            for (const auto& m : proposal.request.topics[0].partitions[0].new_isr_with_epochs)
                members.insert(BrokerId{m.broker_id});
    if (!std::ranges::all_of(members, [&](BrokerId id) { return at_work(id); })) return;
    Data& data = data_[tp];
    ++data.acknowledged;
    ++totals_.acknowledged;
    for (auto id : members) {
        data.has[id] = data.acknowledged;
        data.blank.erase(id);
    }
}

void DecisionsSim::hand_out_producer_ids(BrokerId id) {
    const auto* known = image().broker(id);
    const auto epoch = processes_[id].epoch;
    auto outcome = allocate_producer_ids(state(), id, epoch);
    if (outcome.ok() != (known && known->epoch == epoch)) return wrong("an old process has ids");
    if (!outcome) return;
    const auto block = commit(*std::move(outcome));
    if (block.first != next_producer_id_) wrong("a block of producer ids twice, or left out");
    next_producer_id_ = block.first + block.size;
}

void DecisionsSim::propose() {
    const auto tp = any_partition();
    if (!tp) return;
    const auto& view = chance(70) ? first_.image() : views_[draw(views_.size())];
    const auto* p = view->partition(*tp);
    if (!p || p->leader == metadata::kNoBroker || !processes_[p->leader].running) return;
    const auto pending = std::ranges::any_of(
        proposals_, [&](const Proposal& other) { return other.partition == *tp; });
    if (pending) return;  // one at a time
    Proposal proposal;
    proposal.partition = *tp;
    proposal.request.broker_id = p->leader.value;
    proposal.request.broker_epoch = processes_[p->leader].epoch;
    auto& row = proposal.request.topics.emplace_back().partitions.emplace_back();
    proposal.request.topics[0].topic_id = tp->topic;
    row.partition_index = tp->index;
    row.leader_epoch = p->leader_epoch;
    row.partition_epoch = p->partition_epoch;
    Data& data = data_[*tp];
    const bool resigns = chance(6);
    for (auto id : p->replicas) {
        const bool member = contains(p->isr, id);
        if (resigns && (id == p->leader || !member)) continue;
        if (id != p->leader && !resigns && chance(member ? 15 : 30)) continue;  // too slow
        const auto* broker = view->broker(id);
        if (!broker || (!member && !processes_[id].running)) continue;
        // The leader lets those in that have caught up; with an old row it doesn't matter.
        const auto* row_now = image().partition(*tp);
        if (!member && row_now && row_now->partition_epoch == p->partition_epoch) {
            data.has[id] = data.has[p->leader];
            data.blank.erase(id);
        }
        row.new_isr_with_epochs.push_back({id.value, broker->epoch});
    }
    proposals_.push_back(std::move(proposal));
}

void DecisionsSim::deliver() {
    if (proposals_.empty()) return;
    const size_t at = draw(proposals_.size());
    Proposal proposal = std::move(proposals_[at]);
    proposals_.erase(proposals_.begin() + static_cast<ptrdiff_t>(at));
    auto& row = proposal.request.topics[0].partitions[0];
    const auto sent = row;
    const auto* p = image().partition(proposal.partition);
    const auto before = p ? std::optional(*p) : std::nullopt;
    if (fault_ == Fault::old_rows_are_altered && p) {
        row.partition_epoch = p->partition_epoch;
        row.leader_epoch = p->leader_epoch;
    }
    if (fault_ == Fault::old_processes_join_the_isr)
        for (auto& m : row.new_isr_with_epochs) m.broker_epoch = -1;
    for (const auto& m : sent.new_isr_with_epochs) joining_.insert(BrokerId{m.broker_id});
    const BrokerId asks{proposal.request.broker_id};
    const bool resigns = !joining_.contains(asks);
    if (resigns) resigned_ = asks;
    const auto response = commit(alter_partitions(state(), proposal.request));
    if (response.error_code != ErrorCode::none) return;
    const auto code = response.topics[0].partitions[0].error_code;
    if (code != ErrorCode::none && code != ErrorCode::new_leader_elected) return;
    if (!before || sent.partition_epoch != before->partition_epoch ||
        sent.leader_epoch != before->leader_epoch)
        wrong("a change of an old row was taken");
    if (!resigns) return;
    const auto* after = image().partition(proposal.partition);
    if (after->leader == asks || contains(after->isr, asks) || contains(after->elr, asks))
        wrong("who resigned is still relied on");
    if (after->recovering && !before->recovering) wrong("a resignation lost what was committed");
}

void DecisionsSim::ask_for_elections() {
    if (chance(30)) return take(rebalance(state(), static_cast<int64_t>(draw(60)), 3).records);
    kafka::ElectLeadersRequest request;
    request.election_type = chance(15) ? 1 : 0;
    if (chance(30)) {
        request.topic_partitions.reset();
    } else if (const auto tp = any_partition()) {
        request.topic_partitions->push_back({image().topic(tp->topic)->name, {tp->index}});
    }
    any_may_lead_ = request.election_type == 1;
    commit(elect_leaders(state(), request));
    any_may_lead_ = false;
}

void DecisionsSim::move() {
    const auto tp = any_partition();
    if (!tp) return;
    kafka::AlterPartitionReassignmentsRequest request;
    std::optional<std::vector<int32_t>> to;
    if (chance(75)) {
        to.emplace();
        for (const auto& [id, process] : processes_)
            if (chance(50)) to->push_back(id.value);
        std::ranges::shuffle(*to, random_);
    }
    request.topics.push_back({image().topic(tp->topic)->name, {{tp->index, to}}});
    commit(alter_reassignments(state(), request));
}

void DecisionsSim::change_features() {
    kafka::UpdateFeaturesRequest request;
    auto& f = request.feature_updates.emplace_back();
    f.feature = kMetadataVersion;
    f.max_version_level = static_cast<int16_t>(draw(4));
    f.upgrade_type = static_cast<int8_t>(1 + draw(3));
    commit(update_features(state(), request));
}

}  // namespace controller
