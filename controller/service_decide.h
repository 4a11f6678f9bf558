#pragma once
#include <optional>

#include "controller/decision.h"
#include "controller/raft/configuration.h"
#include "controller/requests.h"
#include "controller/service_core.h"

namespace controller {

/// What the service does about a request.
template <class Response>
struct Decided {
    Records records;
    Response response;
    /// Of the quorum itself, before the records.
    std::optional<raft::Change> change = {};
    /// Without records: may be answered from a state that is a little old.
    bool unconfirmed = false;
};

/// For each kind of request; while the service is active.
#define MOLDAU_DECIDE(Name) \
    Decided<kafka::Name##Response> decide(Service::Core&, const kafka::Name##Request&);
MOLDAU_CONTROLLER_REQUESTS(MOLDAU_DECIDE)
#undef MOLDAU_DECIDE

}  // namespace controller
