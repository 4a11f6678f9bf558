#pragma once
#include "lab/history.h"

namespace lab {

/// What a produce that was not acknowledged has come to. `fail` only for a code that says "not
/// appended", and if no attempt before it is in doubt (`never_written`: librdkafka's
/// RD_KAFKA_MSG_STATUS_NOT_PERSISTED); time-outs and broken connections are `info`.
Phase failed_send(int code, bool never_written);

}  // namespace lab
