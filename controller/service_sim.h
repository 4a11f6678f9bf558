#pragma once
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "controller/service.h"
#include "controller/sim_shards.h"
#include "storage/store/memory_store.h"

namespace controller {

/// One run of the controller's service on a store in memory: random commands from random shards, in
/// any order of events, with power losses and failing writes. After every event:
///   - what a crash would leave opens, at an index that the service published or will publish, with
///     that image and no other (safety.md: the state at the stored index is the ghost's);
///   - nothing that was acknowledged is missing from it;
///   - an answer leaves after the subscribers have seen what it did, and never after a failed
///   write;
///   - an image's snapshot gives the same image, and each delta begins where the last one ended.
class ServiceSim {
  public:
    /// Faults of the harness's own, to show that the checks can fail.
    enum class Mutant : uint8_t { none, forgets_writes };

    ServiceSim(uint64_t seed, Mutant mutant) : random_(seed), mutant_(mutant) {}
    /// What went wrong, or empty.
    std::string run();

  private:
    void start();
    void serve();
    template <class Response, class Request, class Done>
    void ask(Request request, io::Shard& on, Done done);
    void adopt(const metadata::Image&);
    void command();
    void create();
    void remove();
    void grow();
    void configure();
    void allocate();
    void crash();
    void look_at_crash_image();
    void saw(const metadata::ImagePtr&, const std::shared_ptr<const metadata::Delta>&);
    void settle_crash_images();
    void check_acknowledged(const metadata::Image&);
    void drain();
    uint64_t draw(uint64_t below) { return random_() % below; }
    bool chance(uint64_t percent) { return draw(100) < percent; }
    std::string name() { return "t" + std::to_string(draw(8)); }
    io::Shard& any_shard() { return shards_->at(draw(shards_->count())); }
    std::unique_ptr<storage::MemoryStore> crashed_store();
    template <class... Parts>
    void wrong(const Parts&... parts);

    std::mt19937_64 random_;
    Mutant mutant_;
    std::string failure_;
    std::unique_ptr<storage::MemoryStore> store_;
    std::unique_ptr<SimShards> shards_;
    std::unique_ptr<Service> service_;
    int64_t epoch_ = -1;
    bool store_fails_ = false;
    bool told_of_failure_ = false;

    metadata::ImagePtr seen_;            // by the subscriber
    std::map<int64_t, uint64_t> ghost_;  // index → hash of the image, as published
    std::map<int64_t, uint64_t>
        crash_images_;  // index → hash that a crash would have left, unsettled
    std::map<std::string, base::TopicId> topics_;   // acknowledged
    std::map<std::string, int> removals_;           // that are not answered yet
    std::set<base::TopicId> deleted_;               // acknowledged
    std::map<base::TopicId, size_t> partitions_;    // at least so many, acknowledged
    std::map<base::TopicId, std::string> configs_;  // the last retention.ms that was acknowledged
    std::map<base::TopicId, int> config_changes_;   // that are not answered yet
    std::set<int64_t> blocks_;                      // of producer ids
};

}  // namespace controller
