#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "base/check.h"
#include "io/shard.h"

namespace io {

/// One shard and one pool for tests, run by hand on the test's thread: the test decides when
/// blocking work is done, when its answer arrives and how time passes.
class FakeShards : public Shards {
  public:
    size_t count() const override { return 1; }
    Shard& at(size_t) override { return shard_; }
    void block(base::Function<void()> work) override { blocking_.push_back(std::move(work)); }
    void stop() override {}

    /// Runs all that is posted, also by what runs.
    void run_posted() {
        while (!posted_.empty()) take(posted_)();
    }
    size_t blocking() const { return blocking_.size(); }
    /// Carries out one piece of blocking work; what it posts waits.
    void run_one_blocking() { take(blocking_)(); }
    /// Blocking and posted work until there is none.
    void settle() {
        run_posted();
        while (!blocking_.empty()) {
            run_one_blocking();
            run_posted();
        }
    }
    /// Fires the timers due within `by`, in order of time.
    void pass(std::chrono::milliseconds by) {
        const auto until = now_ + by;
        while (!timers_.empty() && timers_.begin()->first.first <= until) {
            auto node = timers_.extract(timers_.begin());
            now_ = node.key().first;
            node.mapped()();
        }
        now_ = until;
    }
    size_t timers() const { return timers_.size(); }

  private:
    using Key = std::pair<std::chrono::milliseconds, uint64_t>;

    class FakeTimer : public Timer {
      public:
        FakeTimer(FakeShards& shards, Key key) : shards_(shards), key_(key) {}
        ~FakeTimer() override { shards_.timers_.erase(key_); }

      private:
        FakeShards& shards_;
        Key key_;
    };

    class FakeShard : public Shard {
      public:
        explicit FakeShard(FakeShards& shards) : shards_(shards) {}
        size_t index() const override { return 0; }
        void post(base::Function<void()> work) override {
            shards_.posted_.push_back(std::move(work));
        }
        bool here() const override { return true; }
        base::InstantMs now() const override { return shards_.now_.count(); }
        std::unique_ptr<Timer> after(std::chrono::milliseconds delay,
                                     base::Function<void()> work) override {
            const Key key{shards_.now_ + delay, ++shards_.timer_count_};
            shards_.timers_.emplace(key, std::move(work));
            return std::make_unique<FakeTimer>(shards_, key);
        }
        boost::asio::io_context& context() override {
            CHECK(false) << "there is no event loop beneath";
            std::abort();
        }

      private:
        FakeShards& shards_;
    };

    static base::Function<void()> take(std::deque<base::Function<void()>>& from) {
        auto first = std::move(from.front());
        from.pop_front();
        return first;
    }

    FakeShard shard_{*this};
    std::deque<base::Function<void()>> posted_;
    std::deque<base::Function<void()>> blocking_;
    std::map<Key, base::Function<void()>> timers_;
    std::chrono::milliseconds now_{0};
    uint64_t timer_count_ = 0;
};

}  // namespace io
