#pragma once
#include <memory>

#include "base/status.h"
#include "broker/call.h"
#include "broker/pipeline.h"
#include "kafka/api.h"
#include "kafka/header.h"

namespace broker {

/// Decodes a request's body and hands it to the handler of its API. A body that is not what its
/// version says closes the connection.
void dispatch(const kafka::Request&, CallPtr, std::shared_ptr<Answers>);

/// How the request gets along with others on its connection.
Effect effect_of(kafka::ApiKey);

}  // namespace broker
