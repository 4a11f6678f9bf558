#include "controller/service_sim.h"

#include <sstream>

#include "controller/decision.h"
#include "controller/service_testing.h"
#include "controller/testing.h"
#include "metadata/records.h"

namespace controller {

namespace {

using kafka::ErrorCode;

constexpr size_t kEvents = 400;
constexpr base::BrokerId kSelf{0};

}  // namespace

template <class... Parts>
void ServiceSim::wrong(const Parts&... parts) {
    if (!failure_.empty()) return;
    std::ostringstream out;
    (out << ... << parts);
    failure_ = out.str();
}

std::string ServiceSim::run() {
    store_ = std::make_unique<storage::MemoryStore>();
    start();
    for (size_t i = 0; i < kEvents && failure_.empty(); ++i) {
        if (chance(35)) command();
        else shards_->step(random_());
        if (chance(5)) look_at_crash_image();
        if (chance(1)) {
            store_->fail_write(1 + draw(3));
            store_fails_ = true;
        }
        if (chance(2)) crash();
    }
    drain();
    look_at_crash_image();
    settle_crash_images();
    return failure_;
}

/// Asks the service. Where it decided nothing, or nothing is known of it, `done` gets no response:
/// only whether it may have happened.
template <class Response, class Request, class Done>
void ServiceSim::ask(Request request, io::Shard& on, Done done) {
    service_->submit<Request, Response>(
        std::move(request), on,
        [done = std::move(done)](kafka::Outcome<Service::Answered<Response>> outcome) mutable {
            if (outcome) return done(&outcome->response, true);
            done(static_cast<Response*>(nullptr),
                 outcome.error().code != ErrorCode::not_controller);
        });
}

void ServiceSim::start() {
    shards_ = std::make_unique<SimShards>(3);
    store_fails_ = told_of_failure_ = false;
    epoch_ = -1;
    auto opened = open_only_log(*store_, "simulated");
    if (!opened.ok()) return wrong("does not open: ", opened.status().ToString());
    const auto left = image_of(*store_->after_process_crash());
    if (!left.ok()) return wrong("does not open: ", left.status().ToString());
    adopt(**left);
    check_acknowledged(**left);
    auto [at, fresh] = ghost_.emplace((*left)->position().index, hash(**left));
    if (!fresh && at->second != hash(**left)) wrong("opens with another image");
    Service::Options options;
    options.id = kSelf;
    options.snapshot_bytes = 500 + draw(4000);
    options.draw = [this] { return random_(); };
    options.now = [] { return base::InstantMs{0}; };
    options.send = [](const raft::Message&) {};
    options.on_failure = [this](const base::Status&) { told_of_failure_ = true; };
    options.on_standing = [this](const quorum::Standing& now) {
        if (now.active) serve();
    };
    service_ =
        std::make_unique<Service>(*shards_, shards_->at(0), *std::move(opened), std::move(options));
    seen_ = metadata::Image::empty();
    service_->subscribe(shards_->at(1),
                        [this](const auto& image, const auto& delta) { saw(image, delta); });
    service_->start();
}

/// Registers the one broker and takes it into service.
void ServiceSim::serve() {
    auto request = registration_of("simulated", {random_(), random_()});
    request.previous_broker_epoch = epoch_;
    using Registered = kafka::BrokerRegistrationResponse;
    ask<Registered>(request, shards_->at(2), [this](const Registered* registered, bool) {
        if (registered == nullptr) return;
        if (registered->error_code != ErrorCode::none) return wrong("not registered");
        epoch_ = registered->broker_epoch;
        kafka::BrokerHeartbeatRequest beat;
        beat.broker_id = kSelf.value;
        beat.broker_epoch = epoch_;
        beat.current_metadata_offset = epoch_;
        using Beaten = kafka::BrokerHeartbeatResponse;
        ask<Beaten>(beat, shards_->at(2), [this](const Beaten* beaten, bool) {
            if (beaten != nullptr && beaten->error_code != ErrorCode::none) wrong("not unfenced");
        });
    });
}

/// What was asked but not answered before the crash has happened or not: the image says.
void ServiceSim::adopt(const metadata::Image& image) {
    std::erase_if(topics_,
                  [&](const auto& t) { return removals_[t.first] > 0 && !image.topic(t.second); });
    for (const auto& [id, unanswered] : config_changes_) {
        auto topic = image.topic(id);
        if (unanswered == 0 || !topic) continue;
        auto it = topic->configs->find("retention.ms");
        if (it == topic->configs->end()) configs_.erase(id);
        else configs_[id] = it->second;
    }
    removals_.clear();
    config_changes_.clear();
}

void ServiceSim::saw(const metadata::ImagePtr& image,
                     const std::shared_ptr<const metadata::Delta>& delta) {
    if (hash(*delta->base()) != hash(*seen_)) wrong("a delta from another base");
    seen_ = image;
    auto [at, fresh] = ghost_.emplace(image->position().index, hash(*image));
    if (!fresh && at->second != hash(*image)) wrong("two images at ", image->position().index);
    if (hash(*through_a_snapshot(*image)) != hash(*image)) wrong("a snapshot changes the image");
    settle_crash_images();
}

/// Each crash image has to be one of the images published, once all up to its index are.
void ServiceSim::settle_crash_images() {
    while (!crash_images_.empty() && !ghost_.empty() &&
           crash_images_.begin()->first <= ghost_.rbegin()->first) {
        auto [index, left] = *crash_images_.begin();
        auto published = ghost_.find(index);
        if (published == ghost_.end()) wrong("a crash leaves half a batch, at ", index);
        else if (published->second != left) wrong("a crash leaves another image at ", index);
        crash_images_.erase(crash_images_.begin());
    }
}

std::unique_ptr<storage::MemoryStore> ServiceSim::crashed_store() {
    if (mutant_ == Mutant::forgets_writes && chance(20))
        return std::make_unique<storage::MemoryStore>();
    return chance(50) ? store_->after_power_loss(random_()) : store_->after_process_crash();
}

void ServiceSim::look_at_crash_image() {
    auto left = crashed_store();
    auto image = image_of(*left);
    if (!image.ok()) return wrong("a crash leaves damage: ", image.status().ToString());
    check_acknowledged(**image);
    // After a failed write, what it wrote may be there or not, and will never be published.
    if (!store_fails_) crash_images_.emplace((*image)->position().index, hash(**image));
}

void ServiceSim::crash() {
    auto left = crashed_store();
    shards_->crash();
    service_.reset();
    shards_->crash();
    store_ = std::move(left);
    crash_images_.clear();
    // What was decided after the image that is left never happened.
    auto image = image_of(*store_->after_process_crash());
    if (!image.ok()) return wrong("a crash leaves damage: ", image.status().ToString());
    ghost_.erase(ghost_.upper_bound((*image)->position().index), ghost_.end());
    start();
}

void ServiceSim::check_acknowledged(const metadata::Image& image) {
    for (const auto& [name, id] : topics_)
        if (!image.topic(id) && removals_[name] == 0) wrong("lost: topic ", name);
    for (const auto& id : deleted_)
        if (image.topic(id)) wrong("back again: a deleted topic");
    for (const auto& [id, count] : partitions_) {
        auto topic = image.topic(id);
        if (topic && topic->partitions.size() < count) wrong("lost: partitions of ", topic->name);
    }
    for (const auto& [id, value] : configs_) {
        auto topic = image.topic(id);
        if (!topic || config_changes_[id] > 0) continue;
        auto it = topic->configs->find("retention.ms");
        if (it == topic->configs->end() || it->second != value)
            wrong("lost: a config of ", topic->name);
    }
    if (!blocks_.empty() && image.next_producer_id() < *blocks_.rbegin() + 1000)
        wrong("lost: a block of producer ids");
}

void ServiceSim::drain() {
    while (failure_.empty() && shards_->step(random_())) continue;
    if (store_fails_ && service_ && failure_.empty()) {
        // The failure may lie ahead: write until it is met.
        for (int i = 0; i < 4 && !told_of_failure_; ++i) {
            allocate();
            while (shards_->step(random_())) continue;
        }
        if (!told_of_failure_ && epoch_ >= 0) wrong("a failed write was not told");
    }
}

void ServiceSim::command() {
    switch (draw(6)) {
        case 0:
        case 1:
            return create();
        case 2:
            return remove();
        case 3:
            return grow();
        case 4:
            return configure();
        case 5:
            return allocate();
    }
}

void ServiceSim::create() {
    kafka::CreateTopicsRequest request;
    for (uint64_t n = 1 + draw(3); n > 0; --n) {
        auto& t = request.topics.emplace_back();
        t.name = name();
        t.num_partitions = static_cast<int32_t>(1 + draw(4));
        t.replication_factor = 1;
        if (chance(30)) t.configs.push_back({"retention.ms", std::to_string(draw(1000))});
    }
    request.validate_only = chance(10);
    const bool dry = request.validate_only;
    using Created = kafka::CreateTopicsResponse;
    ask<Created>(std::move(request), any_shard(), [this, dry](const Created* response, bool) {
        if (response == nullptr || dry) return;
        for (const auto& row : response->topics) {
            if (row.error_code != ErrorCode::none) continue;
            bool there = seen_->topic(row.topic_id) != nullptr;
            if (!there && !deleted_.contains(row.topic_id) && removals_[row.name] == 0)
                wrong("answers before the subscriber saw ", row.name);
            if (!there) continue;  // deleted since
            topics_[row.name] = row.topic_id;
            partitions_[row.topic_id] = static_cast<size_t>(row.num_partitions);
        }
    });
}

void ServiceSim::remove() {
    kafka::DeleteTopicsRequest request;
    request.topic_names.push_back(name());
    const std::string topic_name = request.topic_names[0];
    ++removals_[topic_name];  // from here on either is right, until the answer
    using Deleted = kafka::DeleteTopicsResponse;
    ask<Deleted>(
        std::move(request), any_shard(), [this, topic_name](const Deleted* response, bool perhaps) {
            if (response == nullptr && perhaps) return;
            --removals_[topic_name];
            if (response == nullptr) return;
            const auto& row = response->responses.at(0);
            if (row.error_code != ErrorCode::none) return;
            if (seen_->topic(row.topic_id)) wrong("answers before the subscriber saw the deletion");
            deleted_.insert(row.topic_id);
            std::erase_if(topics_, [&](const auto& t) { return t.second == row.topic_id; });
        });
}

void ServiceSim::grow() {
    kafka::CreatePartitionsRequest request;
    request.topics.push_back({name(), static_cast<int32_t>(1 + draw(12)), std::nullopt});
    const std::string topic_name = request.topics[0].name;
    const auto count = static_cast<size_t>(request.topics[0].count);
    using Grown = kafka::CreatePartitionsResponse;
    ask<Grown>(std::move(request), any_shard(),
               [this, topic_name, count](const Grown* response, bool) {
                   if (response == nullptr) return;
                   if (response->results.at(0).error_code != ErrorCode::none) return;
                   auto topic = seen_->topic(topic_name);
                   if (!topic || !topics_.contains(topic_name)) return;
                   if (topic->id != topics_[topic_name]) return;
                   auto& least = partitions_[topic->id];
                   if (topic->partitions.size() >= count) least = std::max(least, count);
               });
}

void ServiceSim::configure() {
    auto it = topics_.find(name());
    if (it == topics_.end() || config_changes_[it->second] > 0) return;
    const base::TopicId id = it->second;
    kafka::IncrementalAlterConfigsRequest request;
    auto& r = request.resources.emplace_back();
    r.resource_type = 2;
    r.resource_name = it->first;
    std::string value = std::to_string(draw(100'000));
    r.configs.push_back({"retention.ms", 0, value});
    ++config_changes_[id];
    using Altered = kafka::IncrementalAlterConfigsResponse;
    ask<Altered>(std::move(request), any_shard(),
                 [this, id, value](const Altered* response, bool perhaps) {
                     if (response == nullptr && perhaps) return;
                     --config_changes_[id];
                     if (response == nullptr) return;
                     if (response->responses.at(0).error_code != ErrorCode::none) return;
                     configs_[id] = value;
                 });
}

void ServiceSim::allocate() {
    kafka::AllocateProducerIdsRequest request;
    request.broker_id = kSelf.value;
    request.broker_epoch = epoch_;
    using Allocated = kafka::AllocateProducerIdsResponse;
    ask<Allocated>(request, any_shard(), [this](const Allocated* response, bool) {
        if (response == nullptr || response->error_code != ErrorCode::none) return;
        if (!blocks_.insert(response->producer_id_start).second)
            wrong("producer ids given twice: ", response->producer_id_start);
    });
}

}  // namespace controller
