#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Columns as wide as their widest cell, two spaces apart; the head in bold on a terminal.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    std::string text(bool colour) const;
    /// To standard output.
    void print() const;

  private:
    std::vector<std::string> head_;
    std::vector<std::vector<std::string>> rows_;
};

/// Indented, with a newline, to standard output; bytes that are not UTF-8 become U+FFFD.
void print_json(const nlohmann::ordered_json& value);

enum class Colour : uint8_t { red, green, yellow, bold };
/// `text` in `colour` if `descriptor` is a terminal and NO_COLOR is not set; otherwise as it is.
std::string coloured(std::string_view text, Colour colour, int descriptor);
/// Whether to colour what goes to `descriptor`: https://no-color.org.
bool has_colour(int descriptor);

/// "17 B", "12 MiB", "1.5 GiB".
std::string bytes_text(int64_t bytes);
/// "1 broker", "3 brokers"
std::string counted(int64_t count, std::string_view what);
/// "1,2,0"
std::string joined(const std::vector<int32_t>& ids);

/// The failure as people read it, to standard error: "error: " and the message, whose later lines
/// (what to do about it) are indented.
void print_error(std::string_view message);

}  // namespace cli
