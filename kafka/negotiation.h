#pragma once
#include <string_view>

#include "kafka/messages/api_versions.h"

namespace kafka {

/// The answer to ApiVersions: every API that is served, with the versions it is advertised at.
/// Features are the cluster's to fill in.
ApiVersionsResponse served_api_versions();

/// The answer, written in version 0, to ApiVersions at a version that isn't served: error 35 and
/// the versions of ApiVersions itself, so that the client asks again with one of them (KIP-511).
ApiVersionsResponse unsupported_api_versions();

/// Whether a client's software name or version is well-formed: letters, digits, '-' and '.', the
/// first and last a letter or digit. From version 3 ApiVersions is refused otherwise (error 42).
bool valid_software_text(std::string_view);

}  // namespace kafka
