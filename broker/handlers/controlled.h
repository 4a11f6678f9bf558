#pragma once
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "broker/call.h"
#include "broker/controller_link.h"
#include "broker/handlers/refusals.h"
#include "broker/metadata_follower.h"

namespace broker::handlers {

/// How long the client waits, where it says so.
template <class Request>
std::chrono::milliseconds patience(const Request& request) {
    constexpr std::chrono::milliseconds most{60'000};
    if constexpr (requires { request.timeout_ms; })
        if (request.timeout_ms > 0)
            return std::min(most, std::chrono::milliseconds(request.timeout_ms));
    return std::chrono::milliseconds(10'000);
}

/// Sends a request to the controller; `done` runs on the call's shard with the response, once what
/// it changed is in effect on this broker, or when its time is over: it was decided then, and this
/// broker acts by it later.
template <class Request, class Done>
void ask_controller(const CallPtr& call, Request request, Done done) {
    const auto timeout = patience(request);
    const auto deadline = io::monotonic_clock() + timeout.count();
    auto asked = std::make_shared<const Request>(request);
    call->services.controller.ask(
        std::move(request), timeout, call->local.shard,
        [call, deadline, asked = std::move(asked), done = std::move(done)](auto outcome) mutable {
            if (!outcome) return done(refused(*asked, outcome.error()));
            call->services.metadata.when_at(
                outcome->index, call->local.shard,
                [call, done = std::move(done), response = std::move(outcome->response)]() mutable {
                    done(std::move(response));
                },
                std::chrono::milliseconds(
                    std::max<base::InstantMs>(0, deadline - io::monotonic_clock())));
        });
}

}  // namespace broker::handlers
