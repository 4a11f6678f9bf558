#include "controller/configs.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "controller/elections.h"
#include "metadata/broker_options.h"
#include "metadata/records.h"
#include "metadata/topic_options.h"

namespace controller {

namespace {

using kafka::Error;
using kafka::ErrorCode;
using metadata::Configs;

constexpr int8_t kTopicResource = 2;
constexpr int8_t kBrokerResource = 4;
constexpr size_t kLongestValue = 32 * 1024;

enum class Operation : int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

/// One change of one config, in the form that both requests have in common.
struct Change {
    std::string name;
    int8_t operation;
    std::optional<std::string> value;
};

/// A resource that exists, and what is set of it.
struct Resource {
    std::optional<std::string> topic;  // else a broker
    base::BrokerId broker = metadata::kNoBroker;
    Configs now;

    const base::OptionTable& options() const {
        return topic ? metadata::topic_options() : metadata::broker_options();
    }
};

Error invalid_config(std::string why) { return {ErrorCode::invalid_config, std::move(why)}; }
Error invalid_request(std::string why) { return {ErrorCode::invalid_request, std::move(why)}; }

kafka::Outcome<Resource> find(const State& state, int8_t type, const std::string& name) {
    if (type == kTopicResource) {
        if (!state.image.topic(name))
            return Error{ErrorCode::unknown_topic_or_partition, "there is no topic " + name};
        return Resource{name, metadata::kNoBroker, state.image.topic_configs(name)};
    }
    if (type != kBrokerResource)
        return invalid_request("configs of resource type " + std::to_string(type) +
                               " can't be changed");
    if (name.empty())
        return Resource{std::nullopt, metadata::kNoBroker, state.image.cluster_configs()};
    int32_t id = -1;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc{} || end != name.data() + name.size() || id < 0)
        return invalid_request("a broker is named by its number, not " + name);
    if (!state.image.broker(base::BrokerId{id}))
        return Error{ErrorCode::broker_id_not_registered, "broker " + name + " is not registered"};
    return Resource{std::nullopt, base::BrokerId{id},
                    state.image.broker_configs(base::BrokerId{id})};
}

/// What the option would be if nothing were said of this resource, for lists that grow from there.
std::string in_force(const State& state, const Resource& r, const std::string& name) {
    if (auto it = r.now.find(name); it != r.now.end()) return it->second;
    auto view = state.configs();
    auto entry = r.topic ? view.topic(Configs{}, name) : view.broker(name);
    return entry.value.value_or("");
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) out += (out.empty() ? "" : ",") + w;
    return out;
}

std::optional<Error> refused_value(const base::Option& option, const std::string& value) {
    if (value.size() > kLongestValue)
        return invalid_config(option.name + " is longer than " + std::to_string(kLongestValue));
    if (auto parsed = parse(option, value); !parsed.ok())
        return invalid_config(base::message(parsed.status()));
    return std::nullopt;
}

/// Applies one change to `next`.
std::optional<Error> apply(const State& state, const Resource& r, const Change& c, Configs& next) {
    const auto operation = static_cast<Operation>(c.operation);
    if (c.operation < 0 || c.operation > 3)
        return invalid_request("there is no config operation " + std::to_string(c.operation));
    const base::Option* option = r.options().find(c.name);
    if (operation == Operation::remove && (option || next.contains(c.name))) {
        next.erase(c.name);
        return std::nullopt;
    }
    if (!option) {
        auto nearest = r.options().nearest(c.name);
        return invalid_config("unknown config " + c.name.substr(0, 100) +
                              (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    }
    if (option->scope == base::OptionScope::fixed)
        return invalid_config(c.name + " can only be changed by a restart");
    if (!r.topic && r.broker == metadata::kNoBroker && option->scope != base::OptionScope::cluster)
        return invalid_config(c.name + " can only be changed for one broker at a time");
    if (!c.value) return invalid_request(c.name + " has no value");
    if (operation == Operation::set) {
        if (auto e = refused_value(*option, *c.value)) return e;
        next.insert_or_assign(c.name, *c.value);
        return std::nullopt;
    }
    if (option->type != base::OptionType::list)
        return invalid_config(c.name + " is no list: it can't be appended to or subtracted from");
    auto words = base::split_list(in_force(state, r, c.name));
    for (const auto& word : base::split_list(*c.value)) {
        std::erase(words, word);
        if (operation == Operation::append) words.push_back(word);
    }
    auto value = joined(words);
    if (auto e = refused_value(*option, value)) return e;
    next.insert_or_assign(c.name, value);
    return std::nullopt;
}

/// The records for one resource; `replace`: what the changes don't name is removed.
kafka::Outcome<Records> changed(const State& state, int8_t type, const std::string& name,
                                const std::vector<Change>& changes, bool replace) {
    auto resource = find(state, type, name);
    if (!resource) return resource.error();
    Configs next = replace ? Configs{} : resource->now;
    std::set<std::string_view> seen;
    for (const auto& c : changes) {
        if (!seen.insert(c.name).second) return invalid_request(c.name + " stands twice");
        if (auto e = apply(state, *resource, c, next)) return *e;
    }
    if (resource->topic)
        if (auto e = check_topic_configs(next)) return *e;

    Records records;
    auto record = [&](const std::string& key, const std::optional<std::string>& value) {
        records.push_back(resource->topic
                              ? metadata::topic_config_record(*resource->topic, key, value)
                              : metadata::broker_config_record(resource->broker, key, value));
    };
    for (const auto& [key, value] : next)
        if (auto it = resource->now.find(key); it == resource->now.end() || it->second != value)
            record(key, value);
    for (const auto& [key, value] : resource->now)
        if (!next.contains(key)) record(key, std::nullopt);
    return records;
}

std::vector<Change> changes_of(const kafka::AlterConfigsRequest::AlterConfigsResource& r) {
    std::vector<Change> out;
    for (const auto& c : r.configs) out.push_back({c.name, 0, c.value});
    return out;
}
std::vector<Change> changes_of(
    const kafka::IncrementalAlterConfigsRequest::AlterConfigsResource& r) {
    std::vector<Change> out;
    for (const auto& c : r.configs) out.push_back({c.name, c.config_operation, c.value});
    return out;
}

template <class Response, class Request>
Decision<Response> decide(const State& state, const Request& request, bool replace) {
    Decision<Response> d;
    std::map<std::pair<int8_t, std::string>, int> count;
    for (const auto& r : request.resources) ++count[{r.resource_type, r.resource_name}];
    std::set<std::pair<int8_t, std::string>> answered;
    for (const auto& r : request.resources) {
        if (!answered.emplace(r.resource_type, r.resource_name).second) continue;
        auto& row = d.response.responses.emplace_back();
        row.resource_type = r.resource_type;
        row.resource_name = r.resource_name;
        row.error_message.reset();
        kafka::Outcome<Records> records =
            count[{r.resource_type, r.resource_name}] > 1
                ? invalid_request("the resource stands twice in the request")
                : changed(state, r.resource_type, r.resource_name, changes_of(r), replace);
        if (!records) {
            row.error_code = records.error().code;
            row.error_message = records.error().message;
            continue;
        }
        if (request.validate_only) continue;
        for (auto& record : *records) d.records.push_back(std::move(record));
    }
    if (std::ranges::any_of(d.records, [](const v1::Record& r) {
            return r.config().name() == "min.insync.replicas";
        }))
        forget_elr(state, d.records);
    return d;
}

int64_t int_or(const Configs& configs, const std::string& name) {
    const base::Option* option = metadata::topic_options().find(name);
    auto it = configs.find(name);
    return std::get<int64_t>(*parse(*option, it == configs.end() ? *option->fallback : it->second));
}

}  // namespace

Decision<kafka::AlterConfigsResponse> alter_configs(const State& state,
                                                    const kafka::AlterConfigsRequest& request) {
    return decide<kafka::AlterConfigsResponse>(state, request, true);
}

Decision<kafka::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const State& state, const kafka::IncrementalAlterConfigsRequest& request) {
    return decide<kafka::IncrementalAlterConfigsResponse>(state, request, false);
}

std::optional<Error> check_topic_configs(const Configs& configs) {
    for (const auto& [name, value] : configs) {
        const base::Option* option = metadata::topic_options().find(name);
        if (!option) {
            auto nearest = metadata::topic_options().nearest(name);
            return invalid_config("unknown topic config " + name.substr(0, 100) +
                                  (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
        }
        if (auto e = refused_value(*option, value)) return e;
    }
    if (int_or(configs, "min.compaction.lag.ms") > int_or(configs, "max.compaction.lag.ms"))
        return invalid_config("min.compaction.lag.ms is larger than max.compaction.lag.ms");
    return std::nullopt;
}

}  // namespace controller
