#include "cli/kafka_client.h"

#include "base/endian.h"
#include "kafka/messages/find_coordinator.h"

namespace cli {
namespace {

constexpr int32_t answer_bytes_max = 256 << 20;

}  // namespace

base::Status failure(kafka::ErrorCode code, const std::optional<std::string>& message,
                     const std::string& what) {
    std::string text = what + ": " + std::string(kafka::name(code));
    if (message && !message->empty()) text += ": " + *message;
    return kafka::retriable(code) ? absl::AbortedError(text) : base::precondition(text);
}

base::Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& to, Deadline deadline) {
    ASSIGN_OR_RETURN(Socket socket, Socket::connect(to, deadline));
    std::unique_ptr<Connection> out(new Connection(std::move(socket), to));
    RETURN_IF_ERROR(out->negotiate(deadline));
    return out;
}

/// A broker that doesn't know our version of ApiVersions answers in version 0 with error 35; then
/// version 0 it is. https://kafka.apache.org/protocol#api_versions
base::Status Connection::negotiate(Deadline deadline) {
    using Request = kafka::ApiVersionsRequest;
    Request request;
    request.client_software_name = client_id;
    request.client_software_version = MOLDAU_VERSION;
    for (const kafka::Version version : {kafka::Version{3}, kafka::Version{0}}) {
        ASSIGN_OR_RETURN(const base::Bytes body, exchange(request, version, deadline));
        constexpr auto unsupported = static_cast<int16_t>(kafka::ErrorCode::unsupported_version);
        if (version > 0 && body.size() >= 2 && base::load_be<int16_t>(body.data()) == unsupported)
            continue;
        ASSIGN_OR_RETURN(const auto answer, parse<kafka::ApiVersionsResponse>(body, version));
        if (answer.error_code != kafka::ErrorCode::none)
            return failure(answer.error_code, std::nullopt,
                           "can't agree on protocol versions with " + peer_.text());
        for (const auto& key : answer.api_keys)
            versions_[key.api_key] = {key.min_version, key.max_version};
        return base::ok();
    }
    return unreadable("it refuses every version of ApiVersions");
}

base::Result<kafka::Version> Connection::pick(const kafka::Api& api, kafka::Version newest) const {
    const auto theirs = versions_.find(static_cast<int16_t>(api.key));
    const kafka::Version to = theirs == versions_.end()
                                  ? kafka::Version{-1}
                                  : std::min({api.versions.to, theirs->second.to, newest});
    if (to < 0 || to < std::max(api.versions.from, theirs->second.from))
        return base::precondition("the broker " + peer_.text() + " doesn't serve " +
                                  std::string(api.name) + " in a version that this program knows");
    return to;
}

base::Status Connection::unreadable(const std::string& why) const {
    return base::precondition("the answer of " + peer_.text() + " can't be read: " + why +
                              "\nIs it a Kafka port?");
}

base::Result<base::Bytes> Connection::exchange(const kafka::Api& api, kafka::Version version,
                                               base::View frame, Deadline deadline) {
    RETURN_IF_ERROR(socket_.write(frame, deadline));

    base::Bytes head(4);
    RETURN_IF_ERROR(socket_.read(head, deadline));
    const auto size = base::load_be<int32_t>(head.data());
    if (size < 4 || size > answer_bytes_max)
        return unreadable("a frame of " + std::to_string(size) + " bytes");
    base::Bytes answer(static_cast<size_t>(size));
    RETURN_IF_ERROR(socket_.read(answer, deadline));
    base::View body = answer;
    const auto correlation = kafka::read_response_header(body, api, version);
    if (!correlation.ok()) return unreadable(base::message(correlation.status()));
    if (*correlation != correlation_) return unreadable("it answers another request");
    return base::Bytes(body.begin(), body.end());
}

base::Result<KafkaClient> KafkaClient::connect(const std::string& bootstrap, Deadline deadline) {
    ASSIGN_OR_RETURN(std::vector<Endpoint> endpoints, parse_endpoints(bootstrap));
    KafkaClient out(std::move(endpoints), deadline);
    RETURN_IF_ERROR(out.any().status());
    return out;
}

base::Result<Connection*> KafkaClient::connection(const Endpoint& to, Deadline deadline) {
    std::unique_ptr<Connection>& slot = connections_[to.text()];
    if (!slot) {
        ASSIGN_OR_RETURN(slot, Connection::open(to, deadline));
    }
    return slot.get();
}

int32_t KafkaClient::request_timeout_ms() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    return static_cast<int32_t>(std::clamp<int64_t>(left.count(), 1, INT32_MAX));
}

base::Result<Connection*> KafkaClient::any() {
    constexpr std::chrono::seconds patience{2};
    base::Status last = base::ok();
    std::vector<Endpoint> silent = bootstrap_;
    for (bool again = bootstrap_.size() == 1; !silent.empty(); again = true) {
        for (const Endpoint& endpoint : std::exchange(silent, {})) {
            const Deadline soon = std::chrono::steady_clock::now() + patience;
            auto found = connection(endpoint, again ? deadline_ : std::min(deadline_, soon));
            if (found.ok()) return found;
            last = found.status();
            if (!again && absl::IsDeadlineExceeded(last)) silent.push_back(endpoint);
        }
    }
    if (!absl::IsUnavailable(last)) return last;
    return base::unavailable(
        base::message(last) +
        "\nIs a broker running there? To start one: moldau local start. To ask "
        "another: -b HOST:PORT, or the environment variable MOLDAU_BROKERS.");
}

base::Result<kafka::MetadataResponse> KafkaClient::metadata(
    const std::optional<std::vector<std::string>>& topics) {
    kafka::MetadataRequest request;
    request.allow_auto_topic_creation = false;
    if (topics) {
        request.topics.emplace();
        for (const std::string& name : *topics) request.topics->emplace_back().name = name;
    } else {
        request.topics.reset();
    }
    ASSIGN_OR_RETURN(Connection * connection, any());
    ASSIGN_OR_RETURN(auto answer, connection->call<kafka::MetadataResponse>(request, deadline_));
    brokers_.clear();
    for (const auto& b : answer.brokers)
        brokers_[b.node_id] = Endpoint{b.host, static_cast<uint16_t>(b.port)};
    controller_ = answer.controller_id;
    return answer;
}

base::Result<kafka::MetadataResponse::MetadataResponseTopic> KafkaClient::topic(
    const std::string& name) {
    using Topic = kafka::MetadataResponse::MetadataResponseTopic;
    return retry([&]() -> base::Result<Topic> {
        ASSIGN_OR_RETURN(auto answer, metadata(std::vector{name}));
        if (answer.topics.size() != 1)
            return base::internal("the broker did not answer for the topic '" + name + "'");
        Topic& topic = answer.topics.front();
        if (topic.error_code == kafka::ErrorCode::unknown_topic_or_partition)
            return base::not_found("there is no topic '" + name +
                                   "'\nTo see all: moldau topic list. To make it: moldau topic "
                                   "create " +
                                   name);
        if (topic.error_code != kafka::ErrorCode::none)
            return failure(topic.error_code, std::nullopt, "topic '" + name + "'");
        std::sort(
            topic.partitions.begin(), topic.partitions.end(),
            [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
        return std::move(topic);
    });
}

base::Result<Connection*> KafkaClient::broker(int32_t id) {
    if (!brokers_.contains(id)) RETURN_IF_ERROR(metadata(std::vector<std::string>{}).status());
    const auto found = brokers_.find(id);
    if (found == brokers_.end())
        return absl::AbortedError("broker " + std::to_string(id) + " is not there");
    return connection(found->second, deadline_);
}

base::Result<Connection*> KafkaClient::controller() {
    RETURN_IF_ERROR(metadata(std::vector<std::string>{}).status());
    return controller_ < 0 ? any() : broker(controller_);
}

base::Result<Connection*> KafkaClient::coordinator(const std::string& group) {
    kafka::FindCoordinatorRequest request;
    request.key = group;
    ASSIGN_OR_RETURN(Connection * connection_to_ask, any());
    constexpr kafka::Version one_key = 3;  // later versions ask for many at once
    ASSIGN_OR_RETURN(const auto answer, connection_to_ask->call<kafka::FindCoordinatorResponse>(
                                            request, deadline_, one_key));
    if (answer.error_code != kafka::ErrorCode::none)
        return failure(answer.error_code, answer.error_message,
                       "no coordinator for group '" + group + "'");
    return connection(Endpoint{answer.host, static_cast<uint16_t>(answer.port)}, deadline_);
}

base::Status KafkaClient::gave_up(const base::Status& last) const {
    return absl::DeadlineExceededError("gave up after --timeout: " + base::message(last));
}

}  // namespace cli
