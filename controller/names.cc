#include "controller/names.h"

#include <algorithm>

namespace controller {

namespace {

constexpr size_t kLongest = 249;  // leaves room for "-partition.suffix" in a file name of 255

bool legal(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

}  // namespace

std::optional<std::string> refused_name(std::string_view name) {
    if (name.empty()) return "a topic's name can't be empty";
    if (name == "." || name == "..") return "a topic can't be named . or ..";
    if (name.size() > kLongest)
        return "a topic's name can't be longer than " + std::to_string(kLongest) + " characters";
    if (!std::ranges::all_of(name, legal))
        return "a topic's name has only ASCII letters, digits, '.', '_' and '-'";
    if (name == "__cluster_metadata") return "the name __cluster_metadata is reserved";
    return std::nullopt;
}

bool collide(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](char x, char y) { return (x == '.' ? '_' : x) == (y == '.' ? '_' : y); });
}

}  // namespace controller
