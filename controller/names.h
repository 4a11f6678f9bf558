#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace controller {

/// Why a topic can't have this name: empty, "." or "..", longer than 249, or with a character other
/// than ASCII letters, digits, '.', '_' and '-'. Nothing if it can.
std::optional<std::string> refused_name(std::string_view name);

/// Whether two names differ at most in '.' against '_': Kafka's metric names can't tell them apart.
bool collide(std::string_view a, std::string_view b);
/// Whether a name has one of the two, so that it can collide at all.
inline bool may_collide(std::string_view name) {
    return name.find_first_of("._") != std::string_view::npos;
}

}  // namespace controller
