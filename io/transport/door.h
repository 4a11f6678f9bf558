#pragma once
#include <future>
#include <memory>
#include <mutex>

namespace transport {

/// Lets in what begins on threads that are not ours, and can be shut: then nothing more begins, and
/// the last of what has begun can be waited for. From any thread.
class Door {
  public:
    void open() {
        auto empty = std::make_shared<std::promise<void>>();
        const std::scoped_lock lock(mutex_);
        empty_ = empty->get_future().share();
        token_ = std::shared_ptr<void>(this, [empty](void*) { empty->set_value(); });
    }
    /// Whatever holds it is inside; null: not open.
    std::shared_ptr<void> enter() const {
        const std::scoped_lock lock(mutex_);
        return token_;
    }
    void shut() {
        std::shared_ptr<void> last;  // let go of without the lock
        const std::scoped_lock lock(mutex_);
        last.swap(token_);
    }
    /// After shut(): until the last one is gone.
    void wait() const {
        std::shared_future<void> empty;
        {
            const std::scoped_lock lock(mutex_);
            empty = empty_;
        }
        if (empty.valid()) empty.wait();
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<void> token_;
    std::shared_future<void> empty_;
};

}  // namespace transport
