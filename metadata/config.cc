#include "metadata/config.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "metadata/broker_options.h"
#include "metadata/topic_options.h"

namespace metadata {

namespace {

const base::Option& known(const base::OptionTable& table, std::string_view name) {
    const base::Option* o = table.find(name);
    CHECK(o != nullptr) << "no such option: " << name;
    return *o;
}

/// The value in the unit of the option that asks; what can't grow so far stays at the end.
std::string scaled(const std::string& value, int64_t factor) {
    int64_t v = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), v);
    if (factor == 1 || error != std::errc{} || v < 0) return value;
    int64_t product = 0;
    return std::to_string(__builtin_mul_overflow(v, factor, &product) ? INT64_MAX : product);
}

base::OptionValue value_of(const ConfigEntry& e) {
    CHECK(e.value.has_value()) << e.option->name << " has no value";
    auto parsed = parse(*e.option, *e.value);
    CHECK(parsed.ok()) << parsed.status();
    return *std::move(parsed);
}

template <class T>
T typed(const ConfigEntry& e) {
    auto value = value_of(e);
    const T* found = std::get_if<T>(&value);
    CHECK(found != nullptr) << e.option->name << " is of another type";
    return *found;
}

}  // namespace

struct ConfigView::Found {
    ConfigEntry::Synonym synonym;
    int64_t factor;
};

/// All values of a broker option and of those that stand in for it, by precedence: first who set it
/// (this broker, all brokers, the file, nobody), then the order of names.
std::vector<ConfigView::Found> ConfigView::chain(const base::Option& option, int64_t factor) const {
    struct Name {
        const base::Option* option;
        int64_t factor;
    };
    std::vector<Name> names{{&option, factor}};
    for (const auto& s : option.synonyms)
        names.push_back({&known(broker_options(), s.name), factor * s.factor});

    std::vector<Found> out;
    auto add = [&](const Configs& configs, ConfigSource source) {
        for (const auto& n : names)
            if (auto it = configs.find(n.option->name); it != configs.end())
                out.push_back({{it->first, it->second, source}, n.factor});
    };
    add(image_.broker_configs(broker_), ConfigSource::dynamic_broker);
    add(image_.cluster_configs(), ConfigSource::dynamic_default_broker);
    add(static_, ConfigSource::static_broker);
    for (const auto& n : names)
        if (auto value = default_of(*n.option))
            out.push_back({{n.option->name, *value, ConfigSource::fallback}, n.factor});
    return out;
}

std::optional<std::string> ConfigView::default_of(const base::Option& option) const {
    if (image_.brokers().size() >= 3) {
        if (option.name == "min.insync.replicas") return "2";
        if (option.name == "default.replication.factor") return "3";
    }
    return option.fallback;
}

ConfigEntry ConfigView::topic(std::string_view topic, std::string_view option) const {
    return this->topic(image_.topic_configs(topic), option);
}

ConfigEntry ConfigView::topic(const Configs& own, std::string_view option) const {
    const base::Option& o = known(topic_options(), option);
    ConfigEntry e;
    e.option = &o;
    if (auto it = own.find(option); it != own.end()) {
        e.value = it->second;
        e.synonyms.push_back({o.name, it->second, ConfigSource::dynamic_topic});
    }
    if (o.synonyms.empty()) {
        if (!e.value) e.value = o.fallback;
        e.synonyms.push_back({o.name, o.fallback, ConfigSource::fallback});
    }
    for (const auto& s : o.synonyms) {
        for (auto& found : chain(known(broker_options(), s.name), s.factor)) {
            if (!e.value) e.value = scaled(*found.synonym.value, found.factor);
            e.synonyms.push_back(std::move(found.synonym));
        }
    }
    e.source = e.synonyms.front().source;
    return e;
}

ConfigEntry ConfigView::broker(std::string_view option) const {
    const base::Option& o = known(broker_options(), option);
    ConfigEntry e;
    e.option = &o;
    e.read_only = o.scope == base::OptionScope::fixed;
    e.sensitive = o.type == base::OptionType::password;
    for (auto& found : chain(o, 1)) {
        if (!e.value) e.value = scaled(*found.synonym.value, found.factor);
        e.synonyms.push_back(std::move(found.synonym));
    }
    if (!e.synonyms.empty()) e.source = e.synonyms.front().source;
    if (e.sensitive) {
        e.value.reset();
        for (auto& s : e.synonyms) s.value.reset();
    }
    return e;
}

std::vector<ConfigEntry> ConfigView::all_topic(std::string_view topic) const {
    return all_topic(image_.topic_configs(topic));
}

std::vector<ConfigEntry> ConfigView::all_topic(const Configs& own) const {
    std::vector<ConfigEntry> out;
    for (const auto& o : topic_options().all()) out.push_back(topic(own, o.name));
    return out;
}

std::vector<ConfigEntry> ConfigView::all_broker() const {
    std::vector<ConfigEntry> out;
    for (const auto& o : broker_options().all()) out.push_back(broker(o.name));
    return out;
}

std::vector<ConfigEntry> ConfigView::all_cluster_wide() const {
    std::vector<ConfigEntry> out;
    for (const auto& [name, value] : image_.cluster_configs()) {
        const base::Option* o = broker_options().find(name);
        if (!o) continue;
        ConfigEntry e;
        e.option = o;
        e.source = ConfigSource::dynamic_default_broker;
        e.sensitive = o->type == base::OptionType::password;
        if (!e.sensitive) e.value = value;
        e.synonyms.push_back({name, e.value, e.source});
        out.push_back(std::move(e));
    }
    return out;
}

bool ConfigView::topic_bool(std::string_view t, std::string_view o) const {
    return typed<bool>(topic(t, o));
}
int64_t ConfigView::topic_int(std::string_view t, std::string_view o) const {
    return typed<int64_t>(topic(t, o));
}
double ConfigView::topic_double(std::string_view t, std::string_view o) const {
    return typed<double>(topic(t, o));
}
std::string ConfigView::topic_string(std::string_view t, std::string_view o) const {
    return typed<std::string>(topic(t, o));
}
std::vector<std::string> ConfigView::topic_list(std::string_view t, std::string_view o) const {
    return typed<std::vector<std::string>>(topic(t, o));
}
bool ConfigView::broker_bool(std::string_view o) const { return typed<bool>(broker(o)); }
int64_t ConfigView::broker_int(std::string_view o) const { return typed<int64_t>(broker(o)); }
std::string ConfigView::broker_string(std::string_view o) const {
    auto e = broker(o);
    return e.value ? typed<std::string>(e) : std::string();
}
std::vector<std::string> ConfigView::broker_list(std::string_view o) const {
    auto e = broker(o);
    return e.value ? typed<std::vector<std::string>>(e) : std::vector<std::string>();
}

bool ConfigView::broker_set(std::string_view option) const {
    return broker(option).source != ConfigSource::fallback;
}

int min_isr(const ConfigView& view, std::string_view topic, size_t replicas) {
    int64_t wanted = view.topic_int(topic, "min.insync.replicas");
    return static_cast<int>(
        std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, static_cast<int64_t>(replicas))));
}

}  // namespace metadata
