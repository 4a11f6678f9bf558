#pragma once
#include <memory>
#include <utility>

#include "broker/call.h"
#include "broker/metadata_follower.h"
#include "controller/service.h"

namespace broker::handlers {

/// Sends a request to the controller; `done` runs on the call's shard with the response, once what
/// it changed is in effect on this broker.
template <class Request, class Done>
void ask_controller(const CallPtr& call, Request request, Done done) {
    call->services.controller.submit(
        std::move(request), call->local.shard,
        [call, done = std::move(done)](auto response) mutable {
            call->services.metadata.when_caught_up(
                call->local.shard,
                [call, done = std::move(done), response = std::move(response)]() mutable {
                    done(std::move(response));
                });
        });
}

}  // namespace broker::handlers
