#include "controller/service.h"

#include "base/bytes.h"
#include "controller/requests.h"
#include "controller/service_core.h"
#include "controller/service_decide.h"

namespace controller {

namespace {

template <class Request, class Response>
void decide_and_answer(Service::Core& core, const Request& request, io::Shard& on,
                       Service::Reply<Response> reply) {
    using Outcome = kafka::Outcome<Service::Answered<Response>>;
    const auto send = [&on](auto reply, Outcome outcome) {
        on.run([reply = std::move(reply), outcome = std::move(outcome)]() mutable {
            reply(std::move(outcome));
        });
    };
    if (!core.active()) return send(std::move(reply), core.not_active());
    auto decision = decide(core, request);
    auto done = [send, reply = std::move(reply), response = std::move(decision.response)](
                    const kafka::Error& error, int64_t index) mutable {
        if (error.code != kafka::ErrorCode::none) return send(std::move(reply), error);
        send(std::move(reply), Service::Answered<Response>{std::move(response), index});
    };
    if (decision.change)
        return core.take_change(*decision.change, std::move(decision.records), std::move(done));
    if (decision.records.empty() && decision.unconfirmed)
        return core.take_unconfirmed(std::move(done));
    core.take(std::move(decision.records), std::move(done));
}

}  // namespace

Service::Service(io::Shards& shards, io::Shard& home, quorum::LogStore::Opened opened,
                 Options options)
    : core_(std::make_shared<Core>(shards, home, std::move(opened), std::move(options))) {}

Service::~Service() = default;

void Service::start() {
    core_->home().run([core = core_] { core->start(); });
}

void Service::stop(base::Function<void()> done) {
    core_->home().run([core = core_, done = std::move(done)]() mutable {
        core->stop();
        done();
    });
}

void Service::subscribe(io::Shard& shard, Subscriber subscriber) {
    core_->home().run([core = core_, &shard, subscriber = std::move(subscriber)]() mutable {
        core->subscribe(shard, std::move(subscriber));
    });
}

template <class Request, class Response>
void Service::submit(Request request, io::Shard& on, Reply<Response> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            decide_and_answer(*core, request, on, std::move(reply));
        });
}

namespace {

template <class Request>
void call_as(Service& service, io::Shard& home, const Service::Encoded& in,
             Service::Reply<std::string> reply) {
    using Response = typename ResponseTo<Request>::type;
    const auto request = kafka::decode<Request>(base::as_bytes(in.body), in.version);
    if (!request.ok())
        return reply(
            kafka::Error{kafka::ErrorCode::invalid_request, base::message(request.status())});
    service.submit<Request, Response>(
        *request, home,
        [reply = std::move(reply),
         version = in.version](kafka::Outcome<Service::Answered<Response>> outcome) mutable {
            if (!outcome) return reply(outcome.error());
            const auto bytes = kafka::encode(outcome->response, version).bytes;
            reply(
                Service::Answered<std::string>{std::string(base::as_text(bytes)), outcome->index});
        });
}

}  // namespace

void Service::call(Encoded request, Reply<std::string> reply) {
    core_->home().run(
        [this, core = core_, request = std::move(request), reply = std::move(reply)]() mutable {
#define MOLDAU_CALL(Name)                                        \
    if (request.key == kafka::Name##Request::api.key &&          \
        kafka::Name##Request::api.versions.has(request.version)) \
        return call_as<kafka::Name##Request>(*this, core->home(), request, std::move(reply));
            MOLDAU_CONTROLLER_REQUESTS(MOLDAU_CALL)
#undef MOLDAU_CALL
            reply(kafka::Error{kafka::ErrorCode::unsupported_version,
                               "no request of this kind and version is decided by a controller"});
        });
}

#define MOLDAU_SUBMIT(Name)                                                     \
    template void Service::submit<kafka::Name##Request, kafka::Name##Response>( \
        kafka::Name##Request, io::Shard&, Reply<kafka::Name##Response>);
MOLDAU_CONTROLLER_REQUESTS(MOLDAU_SUBMIT)
#undef MOLDAU_SUBMIT

void Service::receive(raft::Message message) {
    core_->heard(message.from);
    core_->quorum().receive(std::move(message));
}

void Service::process_gone(const raft::Member& member) {
    core_->quorum().gone(member);
    core_->process_gone(base::BrokerId{member.id});
}

base::Status Service::apply(const Application& application) { return core_->apply(application); }

base::Status Service::transfer_to(base::BrokerId id) {
    for (const auto& [member, address] : configuration().voters) {
        if (member.id != id.value) continue;
        if (member == self() && standing().leader == self()) return base::ok();
        const auto refusal = core_->quorum().transfer(member);
        if (!refusal) return base::ok();
        switch (*refusal) {
            case raft::Refusal::not_leader:
                return base::precondition("this node does not lead the controllers");
            case raft::Refusal::transferring:
                return base::unavailable("leadership is on its way to a controller already");
            default:
                return base::precondition("controller " + std::to_string(id.value) +
                                          " lags too far behind to lead");
        }
    }
    return base::not_found("no voter has the id " + std::to_string(id.value));
}

const quorum::Standing& Service::standing() const { return core_->quorum().standing(); }
const raft::Configuration& Service::configuration() const {
    return core_->quorum().raft().configuration();
}
const metadata::ImagePtr& Service::image() const { return core_->quorum().image(); }
const kafka::Error& Service::failure() const { return core_->failure(); }
const raft::Member& Service::self() const { return core_->self(); }
const base::Uuid& Service::raft_cluster() const { return core_->raft_cluster(); }

}  // namespace controller
