#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace cli {
namespace {

/// Columns that `text` takes on a terminal: code points, which is right for all but wide scripts.
size_t width(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not a continuation byte
    }));
}

std::string line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
    std::string out;
    for (size_t i = 0; i < cells.size(); ++i) {
        out += cells[i];
        if (i + 1 < cells.size()) out.append(widths[i] - width(cells[i]) + 2, ' ');
    }
    return out;
}

std::string painted(std::string_view text, Colour colour) {
    constexpr std::array<std::string_view, 4> codes{"31", "32", "33", "1"};
    std::string out = "\033[";
    out += codes[static_cast<size_t>(colour)];
    out += 'm';
    out += text;
    out += "\033[0m";
    return out;
}

}  // namespace

std::string Table::text(bool colour) const {
    std::vector<size_t> widths(head_.size());
    for (size_t i = 0; i < head_.size(); ++i) widths[i] = width(head_[i]);
    for (const auto& row : rows_)
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    const std::string head = line(head_, widths);
    std::string out = (colour ? painted(head, Colour::bold) : head) + "\n";
    for (const auto& row : rows_) out += line(row, widths) + "\n";
    return out;
}

void Table::print() const {
    const std::string out = text(has_colour(STDOUT_FILENO));
    std::fwrite(out.data(), 1, out.size(), stdout);
}

void print_json(const nlohmann::ordered_json& value) {
    const std::string out =
        value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    std::fwrite(out.data(), 1, out.size(), stdout);
}

bool has_colour(int descriptor) {
    const char* no_colour = std::getenv("NO_COLOR");
    return (no_colour == nullptr || *no_colour == '\0') && isatty(descriptor) == 1;
}

std::string coloured(std::string_view text, Colour colour, int descriptor) {
    return has_colour(descriptor) ? painted(text, colour) : std::string(text);
}

std::string bytes_text(int64_t bytes) {
    constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value,
                  units[unit]);
    return out.data();
}

std::string counted(int64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string joined(const std::vector<int32_t>& ids) {
    std::string out;
    for (const int32_t id : ids) out += (out.empty() ? "" : ",") + std::to_string(id);
    return out;
}

void print_error(std::string_view message) {
    std::string out = coloured("error:", Colour::red, STDERR_FILENO) + " ";
    for (const char c : message) {
        out += c;
        if (c == '\n') out += "  ";
    }
    out += '\n';
    std::fwrite(out.data(), 1, out.size(), stderr);
}

}  // namespace cli
