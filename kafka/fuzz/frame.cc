#include "kafka/fuzz/frame.h"

#include "base/check.h"
#include "kafka/header.h"
#include "kafka/testing/any_message.h"

namespace kafka {
namespace {

void read_and_write(const MessageType& type, base::View body, Version version) {
    const auto message = type.decode(body, version, Budget::of_frame(body.size()));
    if (!message.ok()) {
        CHECK(absl::IsInvalidArgument(message.status()));
        return;
    }
    const Encoded written = type.encode(*message, version);
    const auto again = type.decode(written.bytes, version, Budget{});
    CHECK(again.ok()) << again.status();
    CHECK(type.equal(*message, *again)) << type.json(*message, version);
    CHECK(!type.json(*message, version).empty());
}

}  // namespace

int fuzz_frame(const uint8_t* data, size_t size) {
    const auto request = read_request(std::as_bytes(std::span(data, size)), find_known_api);
    if (!request.ok() || !request->version_served) return 0;
    for (const MessageType& type : message_types())
        if (type.api == request->api)
            read_and_write(type, request->body, request->header.api_version);
    return 0;
}

}  // namespace kafka
