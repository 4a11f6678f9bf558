#include "metadata/options_doc.h"

#include "metadata/broker_options.h"
#include "metadata/topic_options.h"

namespace metadata {

namespace {

using base::Option;
using base::OptionType;

std::string range(const Option& o) {
    if (!o.choices.empty()) {
        std::string out;
        for (const auto& c : o.choices) out += (out.empty() ? "" : ", ") + c;
        return out;
    }
    bool integer =
        o.type == OptionType::int16 || o.type == OptionType::int32 || o.type == OptionType::int64;
    if (o.type == OptionType::float64) return "0 to 1";
    if (!integer) return "";
    bool floor = o.least != INT64_MIN, ceiling = o.most != INT64_MAX;
    std::string out;
    if (floor && ceiling) out = std::to_string(o.least) + " to " + std::to_string(o.most);
    else if (floor) out = "at least " + std::to_string(o.least);
    if (o.without_zero) out += out.empty() ? "not 0" : ", not 0";
    return out;
}

std::string scope(const Option& o) {
    switch (o.scope) {
        case base::OptionScope::fixed:
            return "at start";
        case base::OptionScope::broker:
            return "at run time, for one broker";
        case base::OptionScope::cluster:
            return "at run time, for one broker or all";
        case base::OptionScope::topic:
            return "";
    }
    return "";
}

void describe(std::string& out, const Option& o) {
    out += "### `" + o.name + "`\n\n" + o.doc + "\n\n";
    out += "- Type: " + std::string(name(o.type));
    if (auto r = range(o); !r.empty()) out += " (" + r + ")";
    out += "\n- Default: ";
    if (!o.fallback) out += "none";
    else if (o.fallback->empty()) out += "empty";
    else out += "`" + *o.fallback + "`";
    for (const auto& s : o.synonyms) {
        out += "; `" + s.name + "`";
        if (s.factor != 1) out += " × " + std::to_string(s.factor);
        out += ", where that is set";
    }
    if (auto s = scope(o); !s.empty()) out += "\n- Set: " + s;
    if (o.ours) out += "\n- Moldau's own: Kafka has no such option.";
    if (!o.no_effect.empty()) out += "\n- Taken, but without effect: " + o.no_effect + ".";
    out += "\n\n";
}

}  // namespace

std::string options_markdown() {
    std::string out =
        "# Options\n\n"
        "Generated from the option tables by `moldau config docs`; a test compares them. Names "
        "and\n"
        "meanings are Kafka's where Kafka has the option.\n\n"
        "A broker reads its options at start, each later one before the earlier: the default,\n"
        "`server.properties`, the environment (`KAFKA_LOG_DIRS` or `MOLDAU_LOG_DIRS` for "
        "`log.dirs`;\n"
        "`__` stands for `_`, `___` for `-`), `--set key=value`. What is set at run time goes "
        "before\n"
        "all of them, first for one broker, then for all. A name that is not known is refused.\n\n"
        "## Topic options\n\n";
    for (const auto& o : topic_options().all()) describe(out, o);
    out += "## Broker options\n\n";
    for (const auto& o : broker_options().all()) describe(out, o);
    out.pop_back();
    return out;
}

}  // namespace metadata
