#include "controller/service.h"

#include <vector>

#include "controller/brokers.h"
#include "controller/configs.h"
#include "controller/service_core.h"
#include "controller/topics.h"

namespace controller {

namespace {

using kafka::Error;
using kafka::ErrorCode;

Error not_durable(const base::Status& status) {
    return {ErrorCode::kafka_storage_error,
            "the metadata log can't be written: " + base::message(status)};
}

auto& rows(kafka::CreateTopicsResponse& r) { return r.topics; }
auto& rows(kafka::CreatePartitionsResponse& r) { return r.results; }
template <class Response>
auto& rows(Response& r) {
    return r.responses;
}

/// Nothing that was decided on top of records that are lost may be told.
template <class Response>
void refuse_all(Response& response, const Error& error) {
    for (auto& row : rows(response)) {
        row.error_code = error.code;
        row.error_message = error.message;
    }
}

/// Takes a decision in, and answers on the asker's shard.
template <class Core, class Response>
void settle(Core& core, Decision<Response> decision, io::Shard& on,
            Service::Reply<Response> reply) {
    core.take(std::move(decision.records),
              [response = std::move(decision.response), &on,
               reply = std::move(reply)](const base::Status& s) mutable {
                  if (!s.ok()) refuse_all(response, not_durable(s));
                  on.run([response = std::move(response), reply = std::move(reply)]() mutable {
                      reply(std::move(response));
                  });
              });
}

/// The same for a decision that may be an error as a whole.
template <class Core, class Response>
void settle(Core& core, kafka::Outcome<Decision<Response>> outcome, io::Shard& on,
            Service::Reply<kafka::Outcome<Response>> reply) {
    Records records = outcome ? std::move(outcome->records) : Records{};
    auto answer = outcome ? kafka::Outcome<Response>(std::move(outcome->response))
                          : kafka::Outcome<Response>(outcome.error());
    core.take(std::move(records), [answer = std::move(answer), &on,
                                   reply = std::move(reply)](const base::Status& s) mutable {
        if (!s.ok()) answer = not_durable(s);
        on.run([answer = std::move(answer), reply = std::move(reply)]() mutable {
            reply(std::move(answer));
        });
    });
}

}  // namespace

base::Result<std::unique_ptr<Service>> Service::open(storage::Store& store, io::Shards& shards,
                                                     io::Shard& home, Options options) {
    auto core = std::make_shared<Core>(store, shards, home, std::move(options));
    RETURN_IF_ERROR(core->open());
    auto opened = core->committed();
    return std::unique_ptr<Service>(new Service(std::move(core), std::move(opened)));
}

Service::Service(std::shared_ptr<Core> core, metadata::ImagePtr opened)
    : core_(std::move(core)), opened_(std::move(opened)) {}

Service::~Service() = default;

void Service::subscribe(io::Shard& shard, Subscriber subscriber) {
    core_->home().run([core = core_, &shard, subscriber = std::move(subscriber)]() mutable {
        core->subscribe(shard, std::move(subscriber));
    });
}

void Service::submit(kafka::CreateTopicsRequest request, io::Shard& on,
                     Reply<kafka::CreateTopicsResponse> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            std::vector<base::TopicId> ids(request.topics.size());
            for (auto& id : ids) id = core->draw_uuid();
            auto start = static_cast<uint64_t>(core->state().image.partition_count());
            settle(*core, create_topics(core->state(), request, ids, start), on, std::move(reply));
        });
}

void Service::submit(kafka::DeleteTopicsRequest request, io::Shard& on,
                     Reply<kafka::DeleteTopicsResponse> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            settle(*core, delete_topics(core->state(), request), on, std::move(reply));
        });
}

void Service::submit(kafka::CreatePartitionsRequest request, io::Shard& on,
                     Reply<kafka::CreatePartitionsResponse> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            auto start = static_cast<uint64_t>(core->state().image.partition_count());
            settle(*core, create_partitions(core->state(), request, start), on, std::move(reply));
        });
}

void Service::submit(kafka::AlterConfigsRequest request, io::Shard& on,
                     Reply<kafka::AlterConfigsResponse> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            settle(*core, alter_configs(core->state(), request), on, std::move(reply));
        });
}

void Service::submit(kafka::IncrementalAlterConfigsRequest request, io::Shard& on,
                     Reply<kafka::IncrementalAlterConfigsResponse> reply) {
    core_->home().run(
        [core = core_, request = std::move(request), &on, reply = std::move(reply)]() mutable {
            settle(*core, incremental_alter_configs(core->state(), request), on, std::move(reply));
        });
}

void Service::register_broker(metadata::Broker broker, io::Shard& on,
                              Reply<kafka::Outcome<int64_t>> reply) {
    core_->home().run(
        [core = core_, broker = std::move(broker), &on, reply = std::move(reply)]() mutable {
            // A cluster of one: the process that asks is the only one that can hold this store.
            auto outcome = controller::register_broker(core->state(), std::move(broker),
                                                       core->next_index(), false);
            settle(*core, std::move(outcome), on, std::move(reply));
        });
}

void Service::unfence_broker(base::BrokerId id, int64_t epoch, io::Shard& on,
                             Reply<kafka::Error> reply) {
    core_->home().run([core = core_, id, epoch, &on, reply = std::move(reply)]() mutable {
        Reply<kafka::Outcome<std::monostate>> told =
            [reply = std::move(reply)](kafka::Outcome<std::monostate> outcome) mutable {
                reply(outcome ? Error{} : outcome.error());
            };
        settle(*core, controller::unfence_broker(core->state(), id, epoch), on, std::move(told));
    });
}

void Service::allocate_producer_ids(base::BrokerId id, int64_t epoch, io::Shard& on,
                                    Reply<kafka::Outcome<ProducerIdBlock>> reply) {
    core_->home().run([core = core_, id, epoch, &on, reply = std::move(reply)]() mutable {
        settle(*core, controller::allocate_producer_ids(core->state(), id, epoch), on,
               std::move(reply));
    });
}

}  // namespace controller
