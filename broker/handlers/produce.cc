#include "kafka/messages/produce.h"

#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "io/shard.h"
#include "kafka/records/batch.h"
#include "replication/partitions.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using Request = kafka::ProduceRequest;
using Response = kafka::ProduceResponse;

/// One Produce in work: its partitions are appended to side by side, each on its own shard, and the
/// answer leaves when the last of them is done.
class Produce : public std::enable_shared_from_this<Produce> {
  public:
    Produce(CallPtr call, Request request, Reply<Response> reply)
        : call_(std::move(call)), request_(std::move(request)), reply_(std::move(reply)) {}

    void run() {
        response_.responses.resize(request_.topic_data.size());
        left_ = 1;  // until all are begun
        for (size_t t = 0; t < request_.topic_data.size(); ++t) {
            auto& topic = request_.topic_data[t];
            auto& out = response_.responses[t];
            out.name = topic.name;
            out.topic_id = topic.topic_id;
            out.partition_responses.resize(topic.partition_data.size());
            for (size_t p = 0; p < topic.partition_data.size(); ++p) begin(t, p);
        }
        done_one();
    }

  private:
    void begin(size_t t, size_t p) {
        auto& topic = request_.topic_data[t];
        auto& data = topic.partition_data[p];
        response_.responses[t].partition_responses[p].index = data.index;
        const bool by_id = call_->version >= 13;
        const auto found = resolve(*call_->local.image, {topic.name, topic.topic_id, by_id},
                                   data.index, call_->services.settings.id);
        if (found.error == ErrorCode::not_leader_or_follower) name_leader(t, p, found);
        if (found.error != ErrorCode::none) return fail(t, p, found.error, {});
        if (request_.acks < -1 || request_.acks > 1)
            return fail(t, p, ErrorCode::invalid_required_acks, "acks must be -1, 0 or 1");
        if (internal_topic(found.topic->name))
            return fail(t, p, ErrorCode::invalid_topic_exception, "the topic is the cluster's own");
        if (!data.records) return fail(t, p, ErrorCode::invalid_record, "no record batch");
        base::MutableView batch = writable(data.records->bytes());
        if (request_.transactional_id || is_transactional(batch))
            return fail(t, p, ErrorCode::invalid_txn_state, "transactions are not served");
        validate(t, p, found, batch);
    }

    void validate(size_t t, size_t p, const Resolved& found, base::MutableView batch) {
        auto rules = call_->local.topic_rules.of(configs(*call_), *found.topic);
        rules.zstd_allowed = call_->version >= 7;
        auto checked = kafka::validate_batch(batch, rules, io::wall_clock());
        if (!checked.ok()) {
            for (const auto& record : checked.error().records)
                response_.responses[t].partition_responses[p].record_errors.push_back(
                    {record.index, record.message});
            return fail(t, p, checked.error().code, checked.error().message);
        }
        std::shared_ptr<base::Bytes> rebuilt;
        if (checked->rebuilt) {
            rebuilt = std::make_shared<base::Bytes>(std::move(*checked->rebuilt));
            batch = *rebuilt;
        }
        append(t, p, found.id, batch, std::move(rebuilt));
    }

    void append(size_t t, size_t p, const base::TopicPartition& id, base::MutableView batch,
                std::shared_ptr<base::Bytes> keep) {
        ++left_;
        auto& partitions = call_->services.partitions;
        partitions.home(id).run(
            [self = shared_from_this(), &partitions, id, batch, t, p, keep = std::move(keep)] {
                const auto finish = [self, &partitions, id, t, p](
                                        kafka::Outcome<storage::Appended> done,
                                        base::Offset log_start) {
                    self->call_->local.shard.run([self, t, p, log_start, done = std::move(done)] {
                        self->appended(t, p, done, log_start);
                    });
                };
                const auto partition = partitions.find(id);
                if (!partition.ok()) return finish(partition.error(), -1);
                const std::chrono::milliseconds timeout(std::max(self->request_.timeout_ms, 0));
                (*partition)
                    ->append(batch, static_cast<replication::Acks>(self->request_.acks), timeout,
                             [finish, log = *partition](kafka::Outcome<storage::Appended> done) {
                                 const auto start = done.ok() ? log->log().start() : -1;
                                 finish(std::move(done), start);
                             });
            });
    }

    void appended(size_t t, size_t p, const kafka::Outcome<storage::Appended>& done,
                  base::Offset log_start) {
        auto& out = response_.responses[t].partition_responses[p];
        if (done.ok()) {
            out.base_offset = done->first;
            out.log_append_time_ms = done->log_append_time;
            out.log_start_offset = log_start;
        } else {
            fail(t, p, done.error().code, done.error().message);
        }
        done_one();
    }

    void fail(size_t t, size_t p, ErrorCode code, const std::string& why) {
        auto& out = response_.responses[t].partition_responses[p];
        out.error_code = code;
        out.base_offset = -1;
        if (!why.empty()) out.error_message = why;
        failed_ = true;
    }

    void name_leader(size_t t, size_t p, const Resolved& found) {
        response_.responses[t].partition_responses[p].current_leader = {found.leader.value,
                                                                        found.leader_epoch};
        add_endpoint(response_.node_endpoints, *call_, found.leader);
    }

    void done_one() {
        if (--left_ > 0) return;
        if (request_.acks != 0) return reply_(response_);
        // Without an answer this is the only way to tell the client.
        if (failed_) reply_.close("a produce with acks=0 failed");
        else reply_.none();
    }

    static bool is_transactional(base::View batch) {
        return batch.size() >= kafka::batch_header_size && kafka::BatchView(batch).transactional();
    }
    /// The frame is this request's alone, so its batches may be numbered in place.
    static base::MutableView writable(base::View in_frame) {
        return {const_cast<std::byte*>(in_frame.data()), in_frame.size()};
    }

    CallPtr call_;
    Request request_;
    Reply<Response> reply_;
    Response response_;
    size_t left_ = 0;
    bool failed_ = false;
};

}  // namespace

void produce(CallPtr call, Request request, Reply<Response> reply) {
    std::make_shared<Produce>(std::move(call), std::move(request), std::move(reply))->run();
}

}  // namespace broker::handlers
