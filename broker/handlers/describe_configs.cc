#include "kafka/messages/describe_configs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "broker/handlers/config_resources.h"
#include "broker/handlers/handlers.h"
#include "controller/names.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::DescribeConfigsRequest;
using Response = kafka::DescribeConfigsResponse;

Response::DescribeConfigsResourceResult describe(const metadata::ConfigEntry& entry,
                                                 const Request& request) {
    Response::DescribeConfigsResourceResult out;
    out.name = entry.option->name;
    out.value = entry.value;
    out.read_only = entry.read_only;
    out.config_source = static_cast<int8_t>(entry.source);
    out.is_sensitive = entry.sensitive;
    out.config_type = static_cast<int8_t>(entry.option->type);
    out.documentation =
        request.include_documentation ? std::optional(entry.option->doc) : std::nullopt;
    if (request.include_synonyms)
        for (const auto& s : entry.synonyms)
            out.synonyms.push_back({s.name, s.value, static_cast<int8_t>(s.source)});
    return out;
}

/// The resource's entries, or why there are none.
kafka::Outcome<std::vector<metadata::ConfigEntry>> entries(
    const Call& call, const Request::DescribeConfigsResource& of) {
    const auto view = configs(call);
    const auto& name = of.resource_name;
    switch (of.resource_type) {
        case resource::topic:
            if (const auto why = controller::refused_name(name))
                return kafka::Error{ErrorCode::invalid_topic_exception, *why};
            if (!call.local.image->topic(name))
                return kafka::Error{ErrorCode::unknown_topic_or_partition, "no such topic"};
            return view.all_topic(name);
        case resource::broker: {
            if (name.empty()) return view.all_cluster_wide();
            int32_t id = -1;
            if (!absl::SimpleAtoi(name, &id) || id != call.services.settings.id.value)
                return kafka::Error{ErrorCode::invalid_request,
                                    "ask broker " + name + " itself; this is broker " +
                                        std::to_string(call.services.settings.id.value)};
            return view.all_broker();
        }
        default:
            return kafka::Error{ErrorCode::invalid_request,
                                "only topics and brokers have configs here"};
    }
}

}  // namespace

void describe_configs(CallPtr call, Request request, Reply<Response> reply) {
    Response response;
    std::set<std::pair<int8_t, std::string>> told;
    for (const auto& asked : request.resources) {
        // Each once, or a small request could ask for a huge answer.
        if (!told.emplace(asked.resource_type, asked.resource_name).second) continue;
        auto& out = response.results.emplace_back();
        out.resource_type = asked.resource_type;
        out.resource_name = asked.resource_name;
        out.error_message.reset();
        const auto found = entries(*call, asked);
        if (!found.ok()) {
            out.error_code = found.error().code;
            out.error_message = found.error().message;
            continue;
        }
        const auto& keys = asked.configuration_keys;
        for (const auto& entry : *found)
            if (!keys || keys->empty() ||
                std::find(keys->begin(), keys->end(), entry.option->name) != keys->end())
                out.configs.push_back(describe(entry, request));
    }
    reply(response);
}

}  // namespace broker::handlers
