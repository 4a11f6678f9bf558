#pragma once
#include <string>
#include <string_view>

#include "base/options.h"

namespace metadata {

/// What may be set of a broker: Kafka's names, and a few of ours.
const base::OptionTable& broker_options();

/// Keys of Kafka that are not options here.
struct Foreign {
    enum class Answer : uint8_t {
        unknown,  // not one of Kafka's either
        ignored,  // nothing is lost without it
        refused,  // leaving it out would change what the operator was promised
    };
    Answer answer = Answer::unknown;
    std::string why;
};
Foreign foreign_key(std::string_view name);

}  // namespace metadata
