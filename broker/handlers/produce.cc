#include "kafka/messages/produce.h"

#include "broker/append.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"

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
        const AppendRequest ask{.topic = {topic.name, topic.topic_id, call_->version >= 13},
                                .partition = data.index,
                                .acks = request_.acks,
                                .timeout = std::chrono::milliseconds(request_.timeout_ms),
                                .zstd_allowed = call_->version >= 7,
                                .transactional = request_.transactional_id.has_value()};
        const auto batch = data.records ? writable(data.records->bytes()) : base::MutableView();
        ++left_;
        broker::append(call_->services, call_->local, ask, batch, call_,
                       [self = shared_from_this(), t, p](const AppendOutcome& done) {
                           self->finished(t, p, done);
                       });
    }

    void finished(size_t t, size_t p, const AppendOutcome& done) {
        auto& out = response_.responses[t].partition_responses[p];
        if (done.error.code == ErrorCode::none) {
            out.base_offset = done.appended.first;
            out.log_append_time_ms = done.appended.log_append_time;
            out.log_start_offset = done.log_start;
        } else {
            out.error_code = done.error.code;
            out.base_offset = -1;
            if (!done.error.message.empty()) out.error_message = done.error.message;
            for (const auto& record : done.records)
                out.record_errors.push_back({record.index, record.message});
            failed_ = true;
        }
        if (out.error_code == ErrorCode::not_leader_or_follower) {
            out.current_leader = {done.leader.value, done.leader_epoch};
            add_endpoint(response_.node_endpoints, *call_, done.leader);
        }
        done_one();
    }

    void done_one() {
        if (--left_ > 0) return;
        if (request_.acks != 0) return reply_(response_);
        // Without an answer this is the only way to tell the client.
        if (failed_) reply_.close("a produce with acks=0 failed");
        else reply_.none();
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
