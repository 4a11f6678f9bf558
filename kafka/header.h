#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "kafka/api.h"
#include "kafka/wire.h"

namespace kafka {

/// On the wire a frame is its size in 32 bits, then a header, then the message. Functions that read
/// take the frame without its size; those that write give it with its size.
inline constexpr size_t frame_size_bytes = 4;

struct RequestHeader {
    int16_t api_key = 0;
    Version api_version = 0;
    int32_t correlation_id = 0;  // comes back with the answer
    std::optional<std::string> client_id;

    bool operator==(const RequestHeader&) const = default;
};

/// A request whose API and version are known, its body not read yet.
struct Request {
    RequestHeader header;
    const Api* api = nullptr;
    /// False only for ApiVersions at a version that isn't served (a newer client's first try): its
    /// body has an unknown form, and the answer is `unsupported_api_versions` in version 0.
    bool version_served = true;
    base::View body;  // in the frame
};

/// Reads a request's header. kInvalidArgument for a header that makes no sense, an unknown key, or
/// a version that isn't served (Produce 0 to 2 among them): nothing can be answered to such a
/// frame, the connection is closed. `find` says which keys are known: a broker's are those it
/// serves.
base::Result<Request> read_request(base::View frame, const Api* (*find)(int16_t key) = find_api);

/// Reads a response's header from the front of `frame`: the correlation id. For clients.
base::Result<int32_t> read_response_header(base::View& frame, const Api&, Version);

/// 2 with tagged fields, from the first flexible version on; 1 before.
constexpr Version request_header_version(const Api& api, Version version) {
    return version >= api.flexible ? 2 : 1;
}
/// 1 with tagged fields, from the first flexible version on; 0 before, and always 0 for
/// ApiVersions, whose answer a client reads before it knows what the broker speaks (KIP-511).
constexpr Version response_header_version(const Api& api, Version version) {
    return version >= api.flexible && api.key != ApiKey::api_versions ? 1 : 0;
}

namespace detail {
size_t response_headroom(const Api&, Version);
void fill_response_head(Encoded&, int32_t correlation_id);
size_t request_headroom(const Api&, Version, std::string_view client_id);
void fill_request_head(Encoded&, const Api&, Version, int32_t correlation_id,
                       std::string_view client_id);
}  // namespace detail

/// A whole response frame; its size counts the splices.
template <class T>
Encoded encode_response(int32_t correlation_id, const T& response, Version version) {
    Encoded frame = encode(response, version, detail::response_headroom(T::api, version));
    detail::fill_response_head(frame, correlation_id);
    return frame;
}

/// A whole request frame.
template <class T>
Encoded encode_request(int32_t correlation_id, std::string_view client_id, const T& request,
                       Version version) {
    Encoded frame = encode(request, version, detail::request_headroom(T::api, version, client_id));
    detail::fill_request_head(frame, T::api, version, correlation_id, client_id);
    return frame;
}

}  // namespace kafka
