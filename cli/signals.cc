#include "cli/signals.h"

#include <pthread.h>

namespace cli {

Signals::Signals() {
    sigemptyset(&caught_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&caught_, signal);
    pthread_sigmask(SIG_BLOCK, &caught_, &before_);
}

Signals::~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::optional<int> Signals::wait(std::chrono::milliseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const std::chrono::nanoseconds rest = time - seconds;
    const timespec limit{seconds.count(), rest.count()};
    const int signal = sigtimedwait(&caught_, nullptr, &limit);
    return signal > 0 ? std::optional(signal) : std::nullopt;
}

}  // namespace cli
