#include "kafka/negotiation.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace kafka {
namespace {

ApiVersionsResponse::ApiVersion row(const Api& api) {
    const Versions versions = api.advertised();
    return {.api_key = static_cast<int16_t>(api.key),
            .min_version = versions.from,
            .max_version = versions.to};
}

}  // namespace

ApiVersionsResponse served_api_versions() {
    ApiVersionsResponse response;
    response.api_keys.reserve(apis.size());
    for (const Api& api : apis) response.api_keys.push_back(row(api));
    return response;
}

ApiVersionsResponse unsupported_api_versions() {
    ApiVersionsResponse response;
    response.error_code = ErrorCode::unsupported_version;
    response.api_keys.push_back(row(api_of(ApiKey::api_versions)));
    return response;
}

bool valid_software_text(std::string_view text) {
    const auto alphanumeric = [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c));
    };
    if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

}  // namespace kafka
