// Messages whose type is known only at run time, for tests and fuzzing that go through every API.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kafka/wire.h"

namespace kafka {

using AnyMessage = std::shared_ptr<const void>;

/// What wire.h does with a T, and some more; the AnyMessages must hold that T.
struct MessageType {
    std::string name;  // "FetchRequest"
    const Api* api;
    bool is_request;

    AnyMessage (*empty)();
    /// Every field of the version with a value drawn from the seed. Null and the default come up
    /// often; records are views that stay valid.
    AnyMessage (*filled)(uint64_t seed, Version);
    base::Result<AnyMessage> (*decode)(base::View, Version, Budget);
    Encoded (*encode)(const AnyMessage&, Version);
    std::string (*json)(const AnyMessage&, Version);
    bool (*equal)(const AnyMessage&, const AnyMessage&);
};

/// Each request followed by its response, in the order of their keys.
const std::vector<MessageType>& message_types();

}  // namespace kafka
