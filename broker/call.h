#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "broker/frames.h"
#include "broker/lost_leaders.h"
#include "broker/services.h"
#include "kafka/header.h"
#include "storage/log.h"

namespace broker {

/// One request in work. Shared by what works on it; all on the shard of its connection, unless a
/// handler posts elsewhere, and then only what can't change (version, client) is read there.
struct Call {
    Services& services;
    Local& local;
    kafka::Version version = 0;
    std::string client_id;
    std::string client_host;  // numeric address
    std::string listener;     // the name of the listener it came through
    Frame frame;              // record views of the request point into it; it may be written to
    /// What clients of this connection have been told of leaders; null if there is no connection.
    std::shared_ptr<LeadersTold> leaders_told = nullptr;
};
using CallPtr = std::shared_ptr<Call>;

/// Configs as this broker sees them, by the call's image.
inline metadata::ConfigView configs(const Call& call) {
    return {*call.local.image, call.services.settings.id, call.services.settings.static_configs};
}

/// Takes what a handler answers, on the connection's shard. One of them is called, once.
class Answers {
  public:
    virtual ~Answers() = default;
    /// A whole frame; `files[i]` goes where it has its i-th splice.
    virtual void answer(kafka::Encoded, std::vector<std::vector<storage::FileSlice>> files) = 0;
    /// Produce with acks=0.
    virtual void no_answer() = 0;
    /// Drops the connection, for what the protocol has no other answer to.
    virtual void close(const std::string& why) = 0;
    /// False once the connection is gone: nobody waits for the answer any more.
    virtual bool wanted() const = 0;
};

/// Takes a response as it is: of a request that did not come through the Kafka port.
template <class Response>
class Taker : public Answers {
  public:
    virtual void take(const Response&, std::vector<std::vector<storage::FileSlice>> files) = 0;

  private:
    void answer(kafka::Encoded, std::vector<std::vector<storage::FileSlice>>) final {
        CHECK(false) << "a response is taken, not its bytes";
    }
};

/// Where a handler puts its response. Used once; on the connection's shard.
template <class Response>
class Reply {
  public:
    Reply(std::shared_ptr<Answers> to, int32_t correlation_id, kafka::Version version)
        : to_(std::move(to)), correlation_id_(correlation_id), version_(version) {}
    explicit Reply(std::shared_ptr<Taker<Response>> to) : taker_(to.get()), to_(std::move(to)) {}

    // It is moved on, which the check does not see.
    // NOLINTNEXTLINE(performance-unnecessary-value-param)
    void operator()(const Response& response,
                    std::vector<std::vector<storage::FileSlice>> files = {}) {
        const auto to = std::exchange(to_, nullptr);
        if (taker_ != nullptr) return taker_->take(response, std::move(files));
        to->answer(kafka::encode_response(correlation_id_, response, version_), std::move(files));
    }
    bool wanted() const { return to_->wanted(); }
    void none() { std::exchange(to_, nullptr)->no_answer(); }
    void close(const std::string& why) { std::exchange(to_, nullptr)->close(why); }

  private:
    Taker<Response>* taker_ = nullptr;  // what to_ is, if it is one
    std::shared_ptr<Answers> to_;
    int32_t correlation_id_ = 0;
    kafka::Version version_ = 0;
};

}  // namespace broker
