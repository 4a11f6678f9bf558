#pragma once
#include <future>
#include <memory>

namespace transport {

/// Counts what is still under way, so that a stop can wait for the last of it: whatever holds the
/// token is alive.
class Alive {
  public:
    Alive() {
        auto ended = std::make_shared<std::promise<void>>();
        ended_ = ended->get_future().share();
        token_ = std::shared_ptr<void>(nullptr, [ended](void*) { ended->set_value(); });
    }

    /// Not after drop(), and on the same thread.
    const std::shared_ptr<void>& token() const { return token_; }
    /// Nothing more begins.
    void drop() { token_.reset(); }
    /// Until drop() was called and the last holder is gone. From another thread, as often as
    /// wanted.
    void wait() const { ended_.wait(); }

  private:
    std::shared_ptr<void> token_;
    std::shared_future<void> ended_;
};

}  // namespace transport
