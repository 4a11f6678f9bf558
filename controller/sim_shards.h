#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "base/check.h"
#include "io/shard.h"

namespace controller {

/// Shards without threads: what was posted waits until the simulation runs it, one piece at a time,
/// in the order of each shard, and in any order among shards and the pool.
class SimShards : public io::Shards {
  public:
    explicit SimShards(size_t shards) {
        for (size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<SimShard>(*this, i));
    }

    size_t count() const override { return shards_.size(); }
    io::Shard& at(size_t index) override { return *shards_.at(index); }
    void block(base::Function<void()> work) override { pool_.push_back(std::move(work)); }
    void stop() override { stopped_ = true; }

    /// Runs one piece that is ready, chosen by `pick`; false if there is none.
    bool step(uint64_t pick) {
        std::vector<std::pair<std::deque<base::Function<void()>>*, SimShard*>> ready;
        for (auto& s : shards_)
            if (!s->queue.empty()) ready.emplace_back(&s->queue, s.get());
        if (!pool_.empty()) ready.emplace_back(&pool_, nullptr);
        if (ready.empty()) return false;
        auto [queue, shard] = ready[pick % ready.size()];
        auto work = std::move(queue->front());
        queue->pop_front();
        running_ = shard;
        work();
        work = nullptr;
        running_ = nullptr;
        return true;
    }
    /// The process is gone: nothing that waits will run.
    void crash() {
        pool_.clear();
        for (auto& s : shards_) s->queue.clear();
        // What was destroyed may have posted.
        for (auto& s : shards_) s->queue.clear();
    }

  private:
    class SimShard : public io::Shard {
      public:
        SimShard(SimShards& all, size_t index) : all_(all), index_(index) {}
        size_t index() const override { return index_; }
        void post(base::Function<void()> work) override { queue.push_back(std::move(work)); }
        bool here() const override { return all_.running_ == this; }
        /// Time stands still.
        base::InstantMs now() const override { return 0; }
        std::unique_ptr<io::Timer> after(std::chrono::milliseconds,
                                         base::Function<void()>) override {
            return std::make_unique<io::Timer>();
        }
        boost::asio::io_context& context() override {
            CHECK(false) << "there is no event loop here";
            __builtin_unreachable();
        }
        std::deque<base::Function<void()>> queue;

      private:
        SimShards& all_;
        size_t index_;
    };

    std::vector<std::unique_ptr<SimShard>> shards_;
    std::deque<base::Function<void()>> pool_;
    const io::Shard* running_ = nullptr;
    bool stopped_ = false;
};

}  // namespace controller
