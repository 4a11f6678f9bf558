#pragma once
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "cli/socket.h"
#include "kafka/errors.h"
#include "kafka/header.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/metadata.h"
#include "kafka/wire.h"

namespace cli {

/// A broker's answer `code` as a status that says `what` failed and why. kAborted if trying again
/// may help (see KafkaClient::retry), kFailedPrecondition otherwise.
base::Status failure(kafka::ErrorCode code, const std::optional<std::string>& message,
                     const std::string& what);

/// One connection to one broker, with the versions that both sides know.
class Connection {
  public:
    static base::Result<std::unique_ptr<Connection>> open(const Endpoint& to, Deadline deadline);

    const Endpoint& peer() const { return peer_; }
    bool serves(kafka::ApiKey key) const { return versions_.contains(static_cast<int16_t>(key)); }

    /// Sends `request` in the newest version that both sides know, at most `newest` (a caller that
    /// fills only the fields of older versions says so here), and waits for its answer.
    template <class Response, class Request>
    base::Result<Response> call(const Request& request, Deadline deadline,
                                kafka::Version newest = no_limit) {
        ASSIGN_OR_RETURN(const kafka::Version version, pick(Request::api, newest));
        ASSIGN_OR_RETURN(const base::Bytes answer, exchange(request, version, deadline));
        return parse<Response>(answer, version);
    }

  private:
    static constexpr kafka::Version no_limit = std::numeric_limits<kafka::Version>::max();

    static constexpr std::string_view client_id = "moldau-cli";

    Connection(Socket socket, Endpoint peer) : socket_(std::move(socket)), peer_(std::move(peer)) {}
    base::Status negotiate(Deadline deadline);
    base::Result<kafka::Version> pick(const kafka::Api& api, kafka::Version newest) const;
    /// The body of the answer.
    template <class Request>
    base::Result<base::Bytes> exchange(const Request& request, kafka::Version version,
                                       Deadline deadline) {
        const auto frame = kafka::encode_request(++correlation_, client_id, request, version);
        return exchange(Request::api, version, frame.bytes, deadline);
    }
    base::Result<base::Bytes> exchange(const kafka::Api&, kafka::Version, base::View frame,
                                       Deadline deadline);
    base::Status unreadable(const std::string& why) const;

    template <class Response>
    base::Result<Response> parse(const base::Bytes& body, kafka::Version version) const {
        auto response = kafka::decode<Response>(body, version);
        if (!response.ok()) return unreadable(base::message(response.status()));
        return *std::move(response);
    }

    Socket socket_;
    Endpoint peer_;
    std::map<int16_t, kafka::Versions> versions_;
    int32_t correlation_ = 0;
};

/// A cluster, as an admin command sees it: finds leaders and coordinators, connects as needed, and
/// tries again what may be tried again. Everything ends at one deadline.
class KafkaClient {
  public:
    /// kUnavailable: none of the bootstrap brokers can be reached.
    static base::Result<KafkaClient> connect(const std::string& bootstrap, Deadline deadline);

    /// Topics named, or all without a list. Doesn't create topics. Topics' own errors are left to
    /// the caller.
    base::Result<kafka::MetadataResponse> metadata(
        const std::optional<std::vector<std::string>>& topics);
    /// The partitions of one topic, once each has a leader. kNotFound: there is no such topic.
    base::Result<kafka::MetadataResponse::MetadataResponseTopic> topic(const std::string& name);

    /// One of the bootstrap brokers; one that is silent does not keep it from the next for long.
    base::Result<Connection*> any();
    base::Result<Connection*> broker(int32_t id);
    base::Result<Connection*> controller();
    base::Result<Connection*> coordinator(const std::string& group);

    Deadline deadline() const { return deadline_; }
    /// How long a broker may take for a request, as requests tell it.
    int32_t request_timeout_ms() const;

    /// Calls `attempt` until it succeeds, fails for good, or the deadline passes
    /// (kDeadlineExceeded, with the last reason). What may pass: kAborted, and connections that
    /// broke.
    template <class Attempt>
    auto retry(Attempt attempt) -> decltype(attempt()) {
        using std::chrono::milliseconds;
        for (milliseconds pause{50};; pause = std::min(pause * 2, milliseconds{1000})) {
            auto result = attempt();
            const base::Status status = status_of(result);
            if (status.ok() || !(absl::IsAborted(status) || absl::IsUnavailable(status)))
                return result;
            if (std::chrono::steady_clock::now() + pause >= deadline_) return gave_up(status);
            connections_.clear();
            std::this_thread::sleep_for(pause);
        }
    }

  private:
    KafkaClient(std::vector<Endpoint> bootstrap, Deadline deadline)
        : bootstrap_(std::move(bootstrap)), deadline_(deadline) {}
    base::Result<Connection*> connection(const Endpoint& to, Deadline deadline);
    static base::Status status_of(const base::Status& status) { return status; }
    template <class T>
    static base::Status status_of(const base::Result<T>& result) {
        return result.status();
    }
    base::Status gave_up(const base::Status& last) const;

    std::vector<Endpoint> bootstrap_;
    Deadline deadline_;
    std::map<std::string, std::unique_ptr<Connection>> connections_;  // by Endpoint::text()
    std::map<int32_t, Endpoint> brokers_;                             // as of the last metadata
    int32_t controller_ = -1;
};

}  // namespace cli
