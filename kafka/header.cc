#include "kafka/header.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "kafka/codec.h"
#include "kafka/utf8.h"

namespace kafka {
namespace {

constexpr size_t fixed_head = 2 + 2 + 4;     // key, version, correlation id
constexpr size_t client_id_length = 2;       // of 16 bits even in header version 2
constexpr Budget header_budget{.bytes = 0};  // no tagged field of a header is known

/// Tagged fields alone, as a flexible header ends with them.
struct Tags {
    static constexpr Format format{.versions = {}, .flexible = 0};
    static void fields(auto&, auto&) {}
};

base::Status skip_tags(base::View& in) {
    const auto tags = decode_front<Tags>(in, 0, header_budget);
    return tags.ok() ? base::ok() : base::invalid("header: " + base::message(tags.status()));
}

base::Result<std::optional<std::string>> take_client_id(base::View& in) {
    if (in.size() < client_id_length) return base::invalid("header.client_id: truncated");
    const auto length = base::load_be<int16_t>(in.data());
    in = in.subspan(client_id_length);
    if (length == -1) return std::nullopt;
    if (length < 0) return base::invalid("header.client_id: negative length");
    const auto size = static_cast<size_t>(length);
    if (size > in.size()) return base::invalid("header.client_id: truncated");
    std::string id(base::as_text(in.first(size)));
    if (!valid_utf8(id)) return base::invalid("header.client_id: not UTF-8");
    in = in.subspan(size);
    return id;
}

std::byte* put_size(Encoded& frame) {
    const size_t size = frame.size() - frame_size_bytes;
    CHECK(size <= std::numeric_limits<int32_t>::max());
    base::store_be(frame.bytes.data(), static_cast<int32_t>(size));
    return frame.bytes.data() + frame_size_bytes;
}

}  // namespace

base::Result<Request> read_request(base::View frame, const Api* (*find)(int16_t key)) {
    if (frame.size() < fixed_head) return base::invalid("header: truncated");
    Request request;
    request.header.api_key = base::load_be<int16_t>(frame.data());
    request.header.api_version = base::load_be<int16_t>(frame.data() + 2);
    request.header.correlation_id = base::load_be<int32_t>(frame.data() + 4);
    const Version version = request.header.api_version;
    request.api = find(request.header.api_key);
    if (request.api == nullptr)
        return base::invalid(absl::StrCat("unknown API key ", request.header.api_key));
    request.version_served = request.api->versions.has(version);
    if (!request.version_served && request.api->key != ApiKey::api_versions) {
        const auto name = request.api->name;
        return base::invalid(absl::StrCat(absl::string_view(name.data(), name.size()), " version ",
                                          version, " is not supported"));
    }
    frame = frame.subspan(fixed_head);
    ASSIGN_OR_RETURN(request.header.client_id, take_client_id(frame));
    if (request.version_served && request_header_version(*request.api, version) == 2)
        RETURN_IF_ERROR(skip_tags(frame));
    request.body = frame;
    return request;
}

base::Result<int32_t> read_response_header(base::View& frame, const Api& api, Version version) {
    if (frame.size() < sizeof(int32_t)) return base::invalid("header: truncated");
    const auto correlation_id = base::load_be<int32_t>(frame.data());
    frame = frame.subspan(sizeof(int32_t));
    if (response_header_version(api, version) == 1) RETURN_IF_ERROR(skip_tags(frame));
    return correlation_id;
}

namespace detail {

size_t response_headroom(const Api& api, Version version) {
    return frame_size_bytes + sizeof(int32_t) +
           static_cast<size_t>(response_header_version(api, version));  // a zero: no tagged fields
}

void fill_response_head(Encoded& frame, int32_t correlation_id) {
    base::store_be(put_size(frame), correlation_id);
}

size_t request_headroom(const Api& api, Version version, std::string_view client_id) {
    const size_t tags = request_header_version(api, version) == 2 ? 1 : 0;
    return frame_size_bytes + fixed_head + client_id_length + client_id.size() + tags;
}

void fill_request_head(Encoded& frame, const Api& api, Version version, int32_t correlation_id,
                       std::string_view client_id) {
    CHECK(client_id.size() <= wire::max_string);
    std::byte* const at = put_size(frame);
    base::store_be(at, static_cast<int16_t>(api.key));
    base::store_be(at + 2, version);
    base::store_be(at + 4, correlation_id);
    base::store_be(at + fixed_head, static_cast<int16_t>(client_id.size()));
    std::memcpy(at + fixed_head + client_id_length, client_id.data(), client_id.size());
}

}  // namespace detail
}  // namespace kafka
