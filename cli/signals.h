#pragma once
#include <signal.h>

#include <chrono>
#include <optional>

namespace cli {

/// Takes SIGINT, SIGTERM and SIGHUP out of the ordinary flow, so that they end waits in place of
/// the process. Made before any thread is started: threads inherit the mask.
class Signals {
  public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The signal that came, or nothing after `time`.
    std::optional<int> wait(std::chrono::milliseconds time);

  private:
    sigset_t caught_;
    sigset_t before_;
};

}  // namespace cli
