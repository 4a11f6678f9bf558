#include "io/shard.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <latch>
#include <string>
#include <thread>

#include "base/check.h"

namespace io {

namespace {

namespace asio = boost::asio;

thread_local const Shard* current_shard = nullptr;

class Context : public asio::io_context {
  public:
    // The hint says that one thread runs it: cheaper locks, a queue without lock for its own posts.
    Context() : asio::io_context(1) {}
    /// Destroys what was not run. May be called before the destructor, once the thread has ended.
    void abandon() { shutdown(); }
};

/// Blocks all signals while it lives, for threads made meanwhile to inherit: signals are for the
/// main thread, and a SIGPIPE of sendfile must not end the process.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_;
};

class AsioTimer : public Timer {
  public:
    AsioTimer(asio::io_context& context, std::chrono::milliseconds delay,
              base::Function<void()> work)
        : timer_(context, delay), work_(std::make_shared<base::Function<void()>>(std::move(work))) {
        timer_.async_wait([work = work_](const boost::system::error_code& cancelled) {
            if (cancelled || !*work) return;
            // Moved first: it may destroy this timer.
            auto due = std::exchange(*work, nullptr);
            due();
        });
    }
    // An expiry that is queued already is no longer cancelled by asio, so the work goes too.
    ~AsioTimer() override { *work_ = nullptr; }

  private:
    asio::steady_timer timer_;
    std::shared_ptr<base::Function<void()>> work_;
};

class AsioShard : public Shard {
  public:
    explicit AsioShard(size_t index)
        : index_(index), guard_(context_.get_executor()), thread_([this] { loop(); }) {}

    size_t index() const override { return index_; }
    void post(base::Function<void()> work) override { asio::post(context_, std::move(work)); }
    bool here() const override { return current_shard == this; }
    base::InstantMs now() const override { return monotonic_clock(); }
    std::unique_ptr<Timer> after(std::chrono::milliseconds delay,
                                 base::Function<void()> work) override {
        CHECK(here()) << "a timer set from outside its shard";
        return std::make_unique<AsioTimer>(context_, delay, std::move(work));
    }
    asio::io_context& context() override { return context_; }

    void end() {
        post([this] { context_.stop(); });
        thread_.join();
    }
    void abandon() { context_.abandon(); }

  private:
    void loop() {
        current_shard = this;
        pthread_setname_np(pthread_self(), ("shard-" + std::to_string(index_)).c_str());
        context_.run();
    }

    size_t index_;
    Context context_;
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::thread thread_;  // last: it uses the others
};

class AsioShards : public Shards {
  public:
    AsioShards(size_t shards, size_t blocking) : pool_(blocking) {
        for (size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<AsioShard>(i));
    }
    ~AsioShards() override {
        stop();
        // What was not run may own sockets and timers of any shard: it goes while all still exist.
        for (auto& shard : shards_) shard->abandon();
    }

    size_t count() const override { return shards_.size(); }
    Shard& at(size_t index) override { return *shards_.at(index); }
    void block(base::Function<void()> work) override { asio::post(pool_, std::move(work)); }

    void stop() override {
        CHECK(current_shard == nullptr) << "stop() called on a shard";
        if (std::exchange(stopped_, true)) return;
        // What is posted already may need the pool, and what the pool does may end with a post.
        std::latch reached(static_cast<ptrdiff_t>(shards_.size()));
        for (auto& shard : shards_) shard->post([&reached] { reached.count_down(); });
        reached.wait();
        pool_.join();
        for (auto& shard : shards_) shard->end();
    }

  private:
    std::vector<std::unique_ptr<AsioShard>> shards_;
    asio::thread_pool pool_;
    bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Shards> Shards::start(size_t shards, size_t blocking) {
    CHECK(shards > 0 && blocking > 0);
    SignalsBlocked signals_blocked;
    return std::make_unique<AsioShards>(shards, blocking);
}

base::TimestampMs wall_clock() {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

base::InstantMs monotonic_clock() {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace io
