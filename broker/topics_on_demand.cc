#include "broker/topics_on_demand.h"

#include <algorithm>

#include "broker/handlers/controlled.h"
#include "broker/resolve.h"

namespace broker {

namespace {

using Request = kafka::CreateTopicsRequest;

/// As configured; by default no more than there are brokers.
int16_t offsets_replication(const metadata::Image& image, const metadata::ConfigView& view) {
    const int64_t wanted = view.broker_int("offsets.topic.replication.factor");
    if (view.broker_set("offsets.topic.replication.factor")) return static_cast<int16_t>(wanted);
    const auto brokers = static_cast<int64_t>(image.brokers().size());
    return static_cast<int16_t>(std::min(wanted, std::max<int64_t>(brokers, 1)));
}

Request::CreatableTopic creatable(const Call& call, const std::string& name) {
    Request::CreatableTopic topic;
    topic.name = name;
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    if (name != offsets_topic) return topic;
    const auto view = configs(call);
    topic.num_partitions = static_cast<int32_t>(view.broker_int("offsets.topic.num.partitions"));
    topic.replication_factor = offsets_replication(*call.local.image, view);
    topic.configs = {
        {"cleanup.policy", "compact"},
        {"compression.type", "producer"},
        {"segment.bytes", std::to_string(view.broker_int("offsets.topic.segment.bytes"))}};
    return topic;
}

}  // namespace

void create_on_demand(const CallPtr& call, const std::set<std::string>& names,
                      base::Function<void(std::map<std::string, kafka::Error>)> done) {
    Request request;
    for (const auto& name : names) request.topics.push_back(creatable(*call, name));
    request.timeout_ms = 30'000;
    handlers::ask_controller(
        call, std::move(request),
        [done = std::move(done)](const kafka::CreateTopicsResponse& response) mutable {
            std::map<std::string, kafka::Error> failed;
            for (const auto& topic : response.topics)
                if (topic.error_code != kafka::ErrorCode::none &&
                    topic.error_code != kafka::ErrorCode::topic_already_exists)
                    failed[topic.name] = {topic.error_code, topic.error_message.value_or("")};
            done(std::move(failed));
        });
}

}  // namespace broker
