#include "broker/controller_link.h"

#include <algorithm>

#include "base/bytes.h"
#include "broker/call_outcome.h"

namespace broker {

namespace {

using kafka::Error;
using kafka::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kPause{20};

}  // namespace

/// One request, until it is answered.
class ControllerLink::Attempt : public std::enable_shared_from_this<Attempt> {
  public:
    Attempt(ControllerLink& link, milliseconds timeout)
        : link_(link), deadline_(io::monotonic_clock() + timeout.count()) {}
    virtual ~Attempt() = default;

    void go() {
        const uint64_t round = ++round_;
        pause_.reset();
        asked_ = link_.service_.standing().leader;
        const auto left = deadline_ - io::monotonic_clock();
        if (left <= 0) return fail(timed_out());
        // It does not hear any more who leads.
        if (const auto& failure = link_.service_.failure(); failure.code != ErrorCode::none)
            return fail(failure);
        if (link_.service_.standing().active) return ask_here(round);
        if (asked_ && link_.client_ != nullptr && *asked_ != link_.service_.self()) {
            const auto& voters = link_.service_.configuration().voters;
            if (const auto leader = voters.find(*asked_); leader != voters.end()) {
                // The time is up for another one if this one is only silent.
                return ask_there(round, leader->second, milliseconds(left));
            }
        }
        wait();
    }
    /// Another controller leads: the one that was asked will not answer well.
    void leader_changed(const std::optional<raft::Member>& leader) {
        if (leader && leader != asked_) go();
    }
    virtual void fail(const Error&) = 0;
    static Error timed_out() {
        return {ErrorCode::request_timed_out, "no active controller has answered in time"};
    }

  protected:
    virtual void ask_here(uint64_t round) = 0;
    virtual void ask_there(uint64_t round, const std::string& address, milliseconds timeout) = 0;

    bool current(uint64_t round) const { return !over_ && round == round_; }
    void wait() {
        pause_ = link_.home_.after(kPause, [self = shared_from_this()] { self->go(); });
    }
    void end() {
        over_ = true;
        pause_.reset();
        link_.attempts_.erase(shared_from_this());
    }

    ControllerLink& link_;
    const base::InstantMs deadline_;
    std::optional<raft::Member> asked_;

  private:
    uint64_t round_ = 0;
    bool over_ = false;
    std::unique_ptr<io::Timer> pause_;
};

template <class Request>
class ControllerLink::AttemptFor final : public Attempt {
  public:
    using Response = typename controller::ResponseTo<Request>::type;
    using Outcome = kafka::Outcome<controller::Service::Answered<Response>>;

    AttemptFor(ControllerLink& link, milliseconds timeout, Request request, io::Shard& on,
               Done<Response> done)
        : Attempt(link, timeout), request_(std::move(request)), on_(on), done_(std::move(done)) {}

    void fail(const Error& error) override { finish(error); }

  private:
    std::shared_ptr<AttemptFor> self() {
        return std::static_pointer_cast<AttemptFor>(shared_from_this());
    }
    void ask_here(uint64_t round) override {
        link_.service_.submit<Request, Response>(request_, link_.home_,
                                                 [self = self(), round](Outcome outcome) {
                                                     if (self->current(round))
                                                         self->answered(std::move(outcome));
                                                 });
    }
    void ask_there(uint64_t round, const std::string& address, milliseconds timeout) override {
        constexpr auto version = Request::api.versions.to;
        if (body_.empty())
            body_ = std::string(base::as_text(kafka::encode(request_, version).bytes));
        const controller::rpc::Call call{link_.cluster_id_, link_.self_,
                                         static_cast<int16_t>(Request::api.key), version, body_};
        link_.client_->call(address, asked_->id, call, timeout,
                            [self = self(), round](base::Result<controller::rpc::CallResult> r) {
                                if (self->current(round))
                                    self->answered(decoded(call_outcome(std::move(r))));
                            });
    }
    static Outcome decoded(const CallOutcome& outcome) {
        if (!outcome) return outcome.error();
        auto response =
            kafka::decode<Response>(base::as_bytes(outcome->response), Request::api.versions.to);
        if (!response.ok())
            return Error{ErrorCode::unknown_server_error, base::message(response.status())};
        return controller::Service::Answered<Response>{*std::move(response), outcome->index};
    }
    void answered(Outcome outcome) {
        // Another node may answer, or this one later.
        if (!outcome && outcome.error().code == ErrorCode::not_controller) return wait();
        finish(std::move(outcome));
    }
    void finish(Outcome outcome) {
        const auto alive = shared_from_this();
        end();
        on_.run([done = std::move(done_), outcome = std::move(outcome)]() mutable {
            done(std::move(outcome));
        });
    }

    const Request request_;
    std::string body_;  // encoded, once it was needed
    io::Shard& on_;
    Done<Response> done_;
};

ControllerLink::ControllerLink(io::Shard& home, controller::Service& service,
                               controller::rpc::Client* client, std::string cluster_id,
                               base::BrokerId self)
    : home_(home),
      service_(service),
      client_(client),
      cluster_id_(std::move(cluster_id)),
      self_(self) {}

ControllerLink::~ControllerLink() = default;

template <class Request>
void ControllerLink::ask(Request request, milliseconds timeout, io::Shard& on,
                         Done<typename controller::ResponseTo<Request>::type> done) {
    auto attempt = std::make_shared<AttemptFor<Request>>(*this, timeout, std::move(request), on,
                                                         std::move(done));
    home_.run([this, attempt] { begin(attempt); });
}

void ControllerLink::begin(const std::shared_ptr<Attempt>& attempt) {
    if (stopped_) return attempt->fail(Attempt::timed_out());
    attempts_.insert(attempt);
    attempt->go();
}

void ControllerLink::standing_changed(const quorum::Standing& now) {
    controller_id_ = now.leader ? now.leader->id : -1;
    for (const auto& attempt : std::set(attempts_)) attempt->leader_changed(now.leader);
}

void ControllerLink::stop() {
    stopped_ = true;
    for (const auto& attempt : std::set(attempts_)) attempt->fail(Attempt::timed_out());
}

#define MOLDAU_ASK(Name)                                     \
    template void ControllerLink::ask<kafka::Name##Request>( \
        kafka::Name##Request, milliseconds, io::Shard&, Done<kafka::Name##Response>);
MOLDAU_CONTROLLER_REQUESTS(MOLDAU_ASK)
#undef MOLDAU_ASK

}  // namespace broker
