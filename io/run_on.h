#pragma once
#include <future>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "io/shard.h"

namespace io {

/// Runs `work` on the shard and gives what it returns, once it has. Not from that shard, which
/// would wait for itself.
template <class Work>
auto run_on(Shard& shard, Work work) {
    CHECK(!shard.here()) << "waits for its own shard";
    std::packaged_task<std::invoke_result_t<Work&>()> task(std::move(work));
    auto result = task.get_future();
    shard.post([task = std::move(task)]() mutable { task(); });
    return result.get();
}

/// Begins what answers later: `ask` is given `done`, and wait_for gives what that is called with,
/// once, on any thread. Not from a thread on which the answer depends.
///   wait_for<Status>([&](auto done) { partitions.close(std::move(done)); })
template <class T = void, class Ask>
T wait_for(Ask ask) {
    std::promise<T> promise;
    auto answer = promise.get_future();
    if constexpr (std::is_void_v<T>)
        ask([promise = std::move(promise)]() mutable { promise.set_value(); });
    else
        ask([promise = std::move(promise)](T value) mutable {
            promise.set_value(std::move(value));
        });
    return answer.get();
}

}  // namespace io
