#include <optional>

#include "metadata/server_properties.h"

namespace metadata {

namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

base::Status refused(int line, const std::string& why) {
    return base::invalid("line " + std::to_string(line) + ": " + why);
}

std::string_view without_leading_blanks(std::string_view s) {
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    return s;
}

/// Takes a line from the front, without its end (\n, \r or \r\n).
std::string_view take_line(std::string_view& text) {
    auto end = text.find_first_of("\r\n");
    auto line = text.substr(0, end);
    if (end == std::string_view::npos) {
        text = {};
        return line;
    }
    bool two = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (two ? 2 : 1));
    return line;
}

bool continues(std::string_view line) {
    size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

void append_utf8(std::string& out, uint32_t c) {
    auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | c >> 6);
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3f));
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

/// Takes the four hexadecimal digits after \u.
std::optional<uint32_t> take_hex(std::string_view& s) {
    if (s.size() < 4) return std::nullopt;
    uint32_t v = 0;
    for (char c : s.substr(0, 4)) {
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return std::nullopt;
        v = v * 16 + static_cast<uint32_t>(digit);
    }
    s.remove_prefix(4);
    return v;
}

/// A character written as \uXXXX, or as two of them for those beyond 16 bits.
std::optional<uint32_t> take_unicode(std::string_view& s) {
    auto high = take_hex(s);
    if (!high || *high == 0 || (*high >= 0xdc00 && *high <= 0xdfff)) return std::nullopt;
    if (*high < 0xd800 || *high > 0xdbff) return high;
    if (!s.starts_with("\\u")) return std::nullopt;
    s.remove_prefix(2);
    auto low = take_hex(s);
    if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
    return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
}

base::Result<std::string> unescaped(std::string_view s, int line) {
    std::string out;
    while (!s.empty()) {
        char c = s.front();
        s.remove_prefix(1);
        if (c == '\0') return refused(line, "a NUL character");
        if (c != '\\' || s.empty()) {
            if (c != '\\') out += c;
            continue;
        }
        char escape = s.front();
        s.remove_prefix(1);
        switch (escape) {
            case 't':
                out += '\t';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 'f':
                out += '\f';
                break;
            case 'u': {
                auto character = take_unicode(s);
                if (!character) return refused(line, "a malformed \\uXXXX");
                append_utf8(out, *character);
                break;
            }
            default:
                out += escape;
        }
    }
    return out;
}

/// Where the key ends: at the first '=', ':' or blank that is not escaped.
size_t key_end(std::string_view s) {
    for (size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '\\') ++i;
        else if (s[i] == '=' || s[i] == ':' || blank(s[i])) return i;
    }
    return s.size();
}

bool valid_utf8(std::string_view s) {
    for (size_t i = 0; i < s.size();) {
        auto lead = static_cast<uint8_t>(s[i++]);
        int more = lead < 0x80       ? 0
                   : lead >> 5 == 6  ? 1
                   : lead >> 4 == 14 ? 2
                   : lead >> 3 == 30 ? 3
                                     : -1;
        if (more < 0 || s.size() - i < static_cast<size_t>(more)) return false;
        uint32_t c = more == 0 ? lead : lead & (0x3fu >> more);
        for (int k = 0; k < more; ++k) {
            auto next = static_cast<uint8_t>(s[i++]);
            if (next >> 6 != 2) return false;
            c = c << 6 | (next & 0x3f);
        }
        constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
        if (c < kLeast[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    }
    return true;
}

}  // namespace

base::Result<std::vector<Property>> parse_properties(std::string_view text) {
    std::vector<Property> out;
    int number = 0;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    while (!text.empty()) {
        ++number;
        auto line = without_leading_blanks(take_line(text));
        if (line.empty() || line.front() == '#' || line.front() == '!') continue;
        const int begin = number;
        std::string logical(line);
        while (continues(logical)) {
            logical.pop_back();
            if (text.empty()) break;
            ++number;
            logical += without_leading_blanks(take_line(text));
        }
        if (!valid_utf8(logical)) return refused(begin, "not UTF-8");
        std::string_view rest(logical);
        auto end = key_end(rest);
        ASSIGN_OR_RETURN(auto key, unescaped(rest.substr(0, end), begin));
        rest = without_leading_blanks(rest.substr(end));
        if (!rest.empty() && (rest.front() == '=' || rest.front() == ':'))
            rest = without_leading_blanks(rest.substr(1));
        ASSIGN_OR_RETURN(auto value, unescaped(rest, begin));
        if (key.empty()) return refused(begin, "a value without a key");
        out.push_back({std::move(key), std::move(value), begin});
    }
    return out;
}

}  // namespace metadata
