#include "broker/registration.h"

#include <algorithm>

#include "spdlog/spdlog.h"

namespace broker {

namespace {

using kafka::ErrorCode;
using std::chrono::milliseconds;

/// Between heartbeats whose answer something waits for.
constexpr milliseconds kSoon{20};
/// While it withdraws; longer than another controller takes to become active.
constexpr int kMostUnanswered = 4;
/// A process of the same id that was killed is not taken for dead before its session ends.
constexpr base::InstantMs kOutlivesOther = 15'000;

/// Of the request as a whole: another controller, or this one later, would say no less. All else
/// passes, like a log that has failed where another controller takes over.
bool is_final(ErrorCode code) {
    return code == ErrorCode::invalid_request || code == ErrorCode::unsupported_version ||
           code == ErrorCode::inconsistent_cluster_id;
}

}  // namespace

Registration::Registration(io::Shard& home, ControllerLink& link, milliseconds heartbeat)
    : home_(home), link_(link), heartbeat_(heartbeat) {}

void Registration::start(metadata::Broker broker, const std::string& cluster_id,
                         int64_t previous_epoch,
                         base::Function<void(kafka::Outcome<int64_t>)> done) {
    request_.broker_id = broker.id.value;
    request_.cluster_id = cluster_id;
    request_.incarnation_id = broker.incarnation;
    for (const auto& e : broker.endpoints)
        request_.listeners.push_back({e.listener, e.host, e.port});
    for (const auto& [name, range] : broker.features)
        request_.features.push_back({name, range.least, range.most});
    request_.rack = broker.rack;
    request_.log_dirs = broker.log_dirs;
    request_.previous_broker_epoch = previous_epoch;
    on_registered_ = std::move(done);
    give_up_at_ = io::monotonic_clock() + kOutlivesOther;
    register_now();
}

void Registration::register_now() {
    if (stopped_) return;
    asking_ = true;
    link_.ask(request_, milliseconds(60'000), home_,
              [this](const auto& outcome) { registered(outcome); });
}

void Registration::registered(
    const kafka::Outcome<controller::Service::Answered<kafka::BrokerRegistrationResponse>>& out) {
    asking_ = false;
    if (stopped_) return;
    const auto code = out ? out->response.error_code : out.error().code;
    if (code == ErrorCode::none) {
        epoch_ = out->response.broker_epoch;
        spdlog::info("broker {} is registered with epoch {}", request_.broker_id, epoch_);
        if (told_epoch_) told_epoch_(epoch_);
        if (on_registered_) std::exchange(on_registered_, nullptr)(epoch_);
        return beat();
    }
    const bool another = code == ErrorCode::duplicate_broker_registration;
    const bool passes =
        out ? another && io::monotonic_clock() < give_up_at_ : !is_final(out.error().code);
    if (passes || !on_registered_) {
        if (!out && std::exchange(told_, code) != code)
            spdlog::warn("broker {} can't be registered yet: {}", request_.broker_id,
                         out.error().message);
        timer_ = home_.after(milliseconds(100), [this] { register_now(); });
        return;
    }
    std::exchange(on_registered_, nullptr)(kafka::Error{
        code, another ? "another process serves as broker " + std::to_string(request_.broker_id) +
                            " in this cluster: each needs a node.id of its own"
              : out ? std::string(kafka::name(code))
                    : out.error().message});
}

void Registration::caught_up_to(int64_t metadata_index, bool awaited) {
    metadata_index_ = std::max(metadata_index_, metadata_index);
    if ((on_served_ || awaited) && epoch_ >= 0) beat();
}

void Registration::serve(base::Function<void(int64_t)> done) {
    serves_ = true;
    on_served_ = std::move(done);
    if (epoch_ >= 0) beat();
}

void Registration::withdraw(milliseconds patience, base::Function<void()> done) {
    if (epoch_ < 0 || stopped_) {
        stop();
        return done();
    }
    on_withdrawn_ = std::move(done);
    withdraws_ = true;
    give_up_at_ = io::monotonic_clock() + patience.count();
    timer_ = home_.after(patience, [this] { give_up(); });
    beat();
}

void Registration::stop() {
    stopped_ = true;
    timer_.reset();
    session_timer_.reset();
}

void Registration::withdrawn() {
    stop();
    if (on_withdrawn_) std::exchange(on_withdrawn_, nullptr)();
}

void Registration::give_up() {
    spdlog::warn("broker {} stops though the others may not know yet who leads in its place",
                 request_.broker_id);
    withdrawn();
}

void Registration::beat_after(milliseconds pause) {
    if (withdraws_) {
        const milliseconds left(std::max<base::InstantMs>(give_up_at_ - io::monotonic_clock(), 0));
        pause = std::min(pause, left);
    }
    timer_ = home_.after(pause, [this] { beat(); });
}

void Registration::beat() {
    if (stopped_) return;
    if (withdraws_ && io::monotonic_clock() >= give_up_at_) return give_up();
    if (asking_) {
        again_ = true;
        return;
    }
    asking_ = true;
    again_ = false;
    kafka::BrokerHeartbeatRequest request;
    request.broker_id = request_.broker_id;
    request.broker_epoch = epoch_;
    request.current_metadata_offset = metadata_index_;
    const bool fit = !fit_ || fit_();
    request.want_fence = !serves_ || !fit;
    request.want_shut_down = withdraws_;
    sent_at_ = io::monotonic_clock();
    // One that is lost in silence must not hold up the next.
    if (!withdraws_) timer_.reset();
    link_.ask(request, std::max(heartbeat_, milliseconds(500)), home_,
              [this](const auto& outcome) { beaten(outcome); });
}

void Registration::renew_session() {
    heard_of_ = sent_at_;
    check_session();
    const milliseconds left(
        std::max<base::InstantMs>(heard_of_ + session_.count() - io::monotonic_clock(), 0));
    session_timer_ = home_.after(left, [this] { check_session(); });
}

void Registration::check_session() {
    const bool in_session = io::monotonic_clock() - heard_of_ < session_.count();
    if (!told_session_ || std::exchange(in_session_, in_session) == in_session) return;
    if (in_session) spdlog::info("the controller answers broker {} again", request_.broker_id);
    else
        spdlog::warn("no controller has answered broker {} for {} ms: others may lead in its place",
                     request_.broker_id, session_.count());
    told_session_(in_session);
}

void Registration::beaten(
    const kafka::Outcome<controller::Service::Answered<kafka::BrokerHeartbeatResponse>>& out) {
    asking_ = false;
    if (stopped_) return;
    unanswered_ = out ? 0 : unanswered_ + 1;
    if (out) renew_session();
    // The controllers may be stopping too.
    if (withdraws_ && unanswered_ >= kMostUnanswered) return give_up();
    if (!out) return beat_after(kSoon);
    const auto& response = out->response;
    if (response.error_code == ErrorCode::stale_broker_epoch ||
        response.error_code == ErrorCode::broker_id_not_registered) {
        if (withdraws_) return withdrawn();
        spdlog::warn(
            "the controller knows broker {} by another registration, or not at all; it "
            "registers again",
            request_.broker_id);
        request_.previous_broker_epoch = epoch_;
        return register_now();
    }
    if (response.should_shut_down && withdraws_) {
        spdlog::info("broker {} leads nothing any more, and all others know it",
                     request_.broker_id);
        return withdrawn();
    }
    if (!response.is_fenced && serves_ && on_served_)
        std::exchange(on_served_, nullptr)(out->index);
    const bool waited_for = on_served_ || withdraws_ || again_;
    beat_after(waited_for ? kSoon : heartbeat_);
}

}  // namespace broker
