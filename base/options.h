#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"

namespace base {

/// The kinds of value, numbered as DescribeConfigs tells them.
enum class OptionType : int8_t {
    boolean = 1,
    string = 2,
    int32 = 3,
    int16 = 4,
    int64 = 5,
    float64 = 6,
    list = 7,  // separated by commas
    password = 9,
};
std::string_view name(OptionType);

/// Where an option may be changed while the broker runs.
enum class OptionScope : uint8_t {
    fixed,    // only at start: file, environment, command line
    broker,   // also for one broker at run time
    cluster,  // also for one broker, or for all, at run time
    topic,    // of one topic
};

/// A value in its option's type; `std::string` serves strings and passwords.
using OptionValue = std::variant<bool, int64_t, double, std::string, std::vector<std::string>>;

/// One option, declared once: checks, docs and DescribeConfigs come from here.
/// Made by the functions below, as a chain: `int32("num.partitions", 1, "…").at_least(1)`.
struct Option {
    /// Another option that gives the value where this one is not set, in that option's unit: this
    /// value = that value × factor (hours → ms: 3,600,000). Negative values stay as they are.
    struct Synonym {
        std::string name;
        int64_t factor = 1;
    };

    std::string name;
    OptionType type = OptionType::string;
    std::optional<std::string> fallback;  // as text; nothing: no value
    std::string doc;                      // one or two sentences
    OptionScope scope = OptionScope::fixed;
    int64_t least = std::numeric_limits<int64_t>::min();
    int64_t most = std::numeric_limits<int64_t>::max();
    bool without_zero = false;
    double least_double = std::numeric_limits<double>::lowest();
    double most_double = std::numeric_limits<double>::max();
    std::vector<std::string> choices;  // for lists: of each element
    bool replicas = false;             // a list of PARTITION:BROKER, or * alone for all
    std::vector<Synonym> synonyms;     // in the order of precedence
    bool ours = false;                 // not one of Kafka's
    std::string no_effect;             // why it is taken but changes nothing; empty: it acts

    Option at_least(int64_t) &&;
    Option between(int64_t least, int64_t most) &&;
    Option between(double least, double most) &&;
    Option not_zero() &&;
    Option one_of(std::vector<std::string>) &&;
    Option of_replicas() &&;
    Option or_else(std::string name, int64_t factor = 1) &&;
    Option in(OptionScope) &&;
    Option own() &&;
    Option without_effect(std::string why) &&;
};

namespace option {
Option boolean(std::string name, bool fallback, std::string doc);
Option string(std::string name, std::optional<std::string> fallback, std::string doc);
Option int32(std::string name, std::optional<int32_t> fallback, std::string doc);
Option int16(std::string name, std::optional<int16_t> fallback, std::string doc);
Option int64(std::string name, std::optional<int64_t> fallback, std::string doc);
Option float64(std::string name, std::string fallback, std::string doc);
Option list(std::string name, std::optional<std::string> fallback, std::string doc);
Option password(std::string name, std::string doc);
}  // namespace option

/// The value of the text, or why it can't be: "segment.bytes=1g: not a whole number of bytes".
Result<OptionValue> parse(const Option&, std::string_view text);

/// Options by name.
class OptionTable {
  public:
    explicit OptionTable(std::vector<Option>);

    /// In the order of names.
    const std::vector<Option>& all() const { return options_; }
    const Option* find(std::string_view name) const;
    /// The known name with the fewest edits; empty if none is near.
    std::string nearest(std::string_view name) const;

  private:
    std::vector<Option> options_;
};

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
size_t edit_distance(std::string_view a, std::string_view b);

/// The elements of a comma-separated list, without the blanks around them and without empty ones.
std::vector<std::string> split_list(std::string_view text);

}  // namespace base
