#pragma once
#include <vector>

#include "metadata/config.h"
#include "metadata/image.h"
#include "proto/metadata.pb.h"

namespace controller {

namespace v1 = ::moldau::metadata::v1;
using Records = std::vector<v1::Record>;

/// What the controller answers, and the records that make it true. The response leaves only when
/// the records are committed and replayed; deciding changes nothing.
template <class Response>
struct Decision {
    Records records;
    Response response;
};

/// What a decision is made from.
struct State {
    const metadata::Image& image;
    const metadata::Configs& static_configs;  // of the node that decides
    base::BrokerId self;

    metadata::ConfigView configs() const { return {image, self, static_configs}; }
};

}  // namespace controller
