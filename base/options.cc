#include "base/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"

namespace base {

namespace {

std::string_view trimmed(std::string_view s) {
    constexpr std::string_view kBlank = " \t\r\n\f";
    auto from = s.find_first_not_of(kBlank);
    if (from == std::string_view::npos) return {};
    return s.substr(from, s.find_last_not_of(kBlank) - from + 1);
}

Status refused(const Option& o, std::string_view text, const std::string& why) {
    std::string shown =
        o.type == OptionType::password ? "(hidden)" : std::string(text.substr(0, 100));
    return invalid(o.name + "=" + shown + ": " + why);
}

/// " of bytes", from the last word of the name.
std::string unit(const Option& o) {
    std::string_view last(o.name);
    last.remove_prefix(last.rfind('.') == std::string_view::npos ? 0 : last.rfind('.') + 1);
    if (last == "ms") return " of milliseconds";
    for (std::string_view u : {"bytes", "hours", "minutes", "seconds"})
        if (last == u) return " of " + std::string(u);
    return "";
}

Result<OptionValue> parse_integer(const Option& o, std::string_view text) {
    int64_t least = o.least, most = o.most;
    if (o.type == OptionType::int32) {
        least = std::max<int64_t>(least, INT32_MIN);
        most = std::min<int64_t>(most, INT32_MAX);
    } else if (o.type == OptionType::int16) {
        least = std::max<int64_t>(least, INT16_MIN);
        most = std::min<int64_t>(most, INT16_MAX);
    }
    int64_t v = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    bool whole = !text.empty() && end == text.data() + text.size();
    if (!whole || error == std::errc::invalid_argument)
        return refused(o, text, "not a whole number" + unit(o));
    if (error == std::errc::result_out_of_range || v < least || v > most)
        return refused(o, text,
                       "must be from " + std::to_string(least) + " to " + std::to_string(most));
    if (o.without_zero && v == 0) return refused(o, text, "must not be 0");
    return OptionValue(v);
}

Result<OptionValue> parse_double(const Option& o, std::string_view text) {
    double v = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(v))
        return refused(o, text, "not a number");
    if (v < o.least_double || v > o.most_double)
        return refused(o, text,
                       "must be from " + std::to_string(o.least_double) + " to " +
                           std::to_string(o.most_double));
    return OptionValue(v);
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
    return out;
}

bool allowed(const Option& o, const std::string& word) {
    return o.choices.empty() || std::ranges::find(o.choices, word) != o.choices.end();
}

bool names_replica(std::string_view word) {
    const auto number = [](std::string_view part) {
        return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const auto colon = word.find(':');
    return colon != std::string_view::npos && number(word.substr(0, colon)) &&
           number(word.substr(colon + 1));
}

Result<OptionValue> parse_list(const Option& o, std::string_view text) {
    auto words = split_list(text);
    const bool all = words.size() == 1 && words[0] == "*";
    if (o.replicas && !all && !std::ranges::all_of(words, names_replica))
        return refused(o, text, "must be *, or PARTITION:BROKER with commas between");
    for (size_t i = 0; i < words.size(); ++i) {
        if (!allowed(o, words[i]))
            return refused(o, text, "each must be one of " + joined(o.choices));
        if (!o.choices.empty() && std::find(words.begin(), words.begin() + static_cast<long>(i),
                                            words[i]) != words.begin() + static_cast<long>(i))
            return refused(o, text, words[i] + " stands twice");
    }
    return OptionValue(std::move(words));
}

Option made(std::string name, OptionType type, std::optional<std::string> fallback,
            std::string doc) {
    Option o;
    o.name = std::move(name);
    o.type = type;
    o.fallback = std::move(fallback);
    o.doc = std::move(doc);
    return o;
}

template <class N>
std::optional<std::string> text_of(std::optional<N> n) {
    if (!n) return std::nullopt;
    return std::to_string(*n);
}

}  // namespace

std::string_view name(OptionType t) {
    switch (t) {
        case OptionType::boolean:
            return "boolean";
        case OptionType::string:
            return "string";
        case OptionType::int32:
            return "int";
        case OptionType::int16:
            return "short";
        case OptionType::int64:
            return "long";
        case OptionType::float64:
            return "double";
        case OptionType::list:
            return "list";
        case OptionType::password:
            return "password";
    }
    return "";
}

Option Option::at_least(int64_t n) && {
    least = n;
    return std::move(*this);
}
Option Option::between(int64_t from, int64_t to) && {
    least = from;
    most = to;
    return std::move(*this);
}
Option Option::between(double from, double to) && {
    least_double = from;
    most_double = to;
    return std::move(*this);
}
Option Option::not_zero() && {
    without_zero = true;
    return std::move(*this);
}
Option Option::one_of(std::vector<std::string> words) && {
    choices = std::move(words);
    return std::move(*this);
}
Option Option::of_replicas() && {
    replicas = true;
    return std::move(*this);
}
Option Option::or_else(std::string other, int64_t factor) && {
    synonyms.push_back({std::move(other), factor});
    return std::move(*this);
}
Option Option::in(OptionScope s) && {
    scope = s;
    return std::move(*this);
}
Option Option::own() && {
    ours = true;
    return std::move(*this);
}
Option Option::without_effect(std::string why) && {
    no_effect = std::move(why);
    return std::move(*this);
}

namespace option {

Option boolean(std::string name, bool fallback, std::string doc) {
    return made(std::move(name), OptionType::boolean, fallback ? "true" : "false", std::move(doc));
}
Option string(std::string name, std::optional<std::string> fallback, std::string doc) {
    return made(std::move(name), OptionType::string, std::move(fallback), std::move(doc));
}
Option int32(std::string name, std::optional<int32_t> fallback, std::string doc) {
    return made(std::move(name), OptionType::int32, text_of(fallback), std::move(doc));
}
Option int16(std::string name, std::optional<int16_t> fallback, std::string doc) {
    return made(std::move(name), OptionType::int16, text_of(fallback), std::move(doc));
}
Option int64(std::string name, std::optional<int64_t> fallback, std::string doc) {
    return made(std::move(name), OptionType::int64, text_of(fallback), std::move(doc));
}
Option float64(std::string name, std::string fallback, std::string doc) {
    return made(std::move(name), OptionType::float64, std::move(fallback), std::move(doc));
}
Option list(std::string name, std::optional<std::string> fallback, std::string doc) {
    return made(std::move(name), OptionType::list, std::move(fallback), std::move(doc));
}
Option password(std::string name, std::string doc) {
    return made(std::move(name), OptionType::password, std::nullopt, std::move(doc));
}

}  // namespace option

Result<OptionValue> parse(const Option& o, std::string_view text) {
    text = trimmed(text);
    switch (o.type) {
        case OptionType::boolean: {
            std::string lower(text);
            std::ranges::transform(lower, lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            if (lower == "true") return OptionValue(true);
            if (lower == "false") return OptionValue(false);
            return refused(o, text, "must be true or false");
        }
        case OptionType::int16:
        case OptionType::int32:
        case OptionType::int64:
            return parse_integer(o, text);
        case OptionType::float64:
            return parse_double(o, text);
        case OptionType::list:
            return parse_list(o, text);
        case OptionType::string:
        case OptionType::password:
            break;
    }
    std::string word(text);
    if (!allowed(o, word)) return refused(o, text, "must be one of " + joined(o.choices));
    return OptionValue(std::move(word));
}

OptionTable::OptionTable(std::vector<Option> options) : options_(std::move(options)) {
    std::ranges::sort(options_, {}, &Option::name);
    for (size_t i = 0; i < options_.size(); ++i) {
        const Option& o = options_[i];
        CHECK(i == 0 || options_[i - 1].name != o.name) << "declared twice: " << o.name;
        CHECK(!o.fallback || parse(o, *o.fallback).ok()) << "the default is refused: " << o.name;
    }
}

const Option* OptionTable::find(std::string_view name) const {
    auto it = std::ranges::lower_bound(options_, name, {},
                                       [](const Option& o) { return std::string_view(o.name); });
    return it != options_.end() && it->name == name ? &*it : nullptr;
}

std::string OptionTable::nearest(std::string_view name) const {
    // A third of the letters wrong is a guess, not a slip.
    size_t best = std::max<size_t>(2, name.size() / 3) + 1;
    std::string found;
    for (const auto& o : options_) {
        size_t distance = edit_distance(name, o.name);
        if (distance >= best) continue;
        best = distance;
        found = o.name;
    }
    return found;
}

size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, 256);
    b = b.substr(0, 256);
    std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        auto comma = text.find(',');
        auto word = trimmed(text.substr(0, comma));
        if (!word.empty()) out.emplace_back(word);
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return out;
}

}  // namespace base
