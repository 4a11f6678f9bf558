#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <map>

#include "broker/rpc/produce.h"
#include "broker/rpc/reactors.h"
#include "io/transport/convert.h"

namespace broker::rpc {

namespace {

using std::chrono::milliseconds;

constexpr size_t kMostInFlight = 64;
constexpr milliseconds kMemoryPause{10};

/// The requests of a stream, side by side, but for those of one partition: their order is kept. The
/// replies leave in the order of the requests, one at a time.
class ProduceStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            private Work {
  public:
    ProduceStream(Calls& calls, Pass pass, Client client)
        : calls_(calls), pass_(std::move(pass)), client_(std::move(client)) {}

    void start() {
        shard().post([this] {
            if (calls_.closed) return finish(base::unavailable(not_taken));
            calls_.works.insert(this);
            read();
        });
    }

    void OnReadDone(bool ok) override {
        shard().post([this, ok] {
            reading_ = false;
            if (finished_) return;
            if (ok) return take();
            no_more_ = true;
            finish_if_drained();
        });
    }
    void OnWriteDone(bool ok) override {
        shard().post([this, ok] {
            writing_ = false;
            if (finished_) return;
            if (!ok) return finish(absl::CancelledError("the client has gone"));
            write();
            read();
            finish_if_drained();
        });
    }
    void OnCancel() override {
        shard().post([this] { finish(absl::CancelledError("the client has gone")); });
    }
    void OnDone() override {
        shard().post([self = std::unique_ptr<ProduceStream>(this)] {});
    }

  private:
    using Id = uint64_t;  // of a request, counted up

    struct Slot {
        std::shared_ptr<Produce> produce;
        std::optional<Answer> answer;
        bool in_lane = false;
    };
    /// The requests for one partition. Those that are appended here may be in work side by side,
    /// as the partition keeps their order. One that has left for another broker, or is tried again,
    /// is alone.
    struct Lane {
        size_t in_work = 0;
        std::shared_ptr<Produce> first;  // began when nothing was in work: it may be tried again
        bool first_here = false;
        std::deque<Id> waiting;
    };

    io::Shard& shard() { return calls_.host.local.shard; }
    Slot& slot(Id id) { return slots_.at(id - first_id_); }

    void end(const base::Status& status) override { finish(status); }

    void read() {
        if (finished_ || reading_ || placing_ || no_more_ || slots_.size() >= kMostInFlight) return;
        reading_ = true;
        StartRead(&incoming_);
    }

    /// The message that was read: begins with it, as soon as there is memory for it.
    void take() {
        auto message = take_message(incoming_, calls_.host.services.memory);
        if (absl::IsResourceExhausted(message.status())) {
            reading_ = true;  // nothing more until then
            timer_ = shard().after(kMemoryPause, [this] {
                reading_ = false;
                take();
            });
            return;
        }
        incoming_.Clear();
        auto ask = message.ok() ? read_produce((*message)->bytes)
                                : base::Result<ProduceAsk>(message.status());
        if (!ask.ok()) return refuse(ask.status());
        const Id id = first_id_ + slots_.size();
        auto produce =
            std::make_shared<Produce>(calls_.host, client_, *std::move(ask), *std::move(message));
        slots_.push_back({.produce = produce, .answer = std::nullopt});
        placing_ = true;  // so that they are placed in their order
        produce->place([this, id](Answer answer) { done(id, std::move(answer)); },
                       [this, id](bool placed) {
                           placing_ = false;
                           if (finished_) return;
                           if (placed) line_up(id);
                           read();
                       });
    }

    /// What comes before is answered still.
    void refuse(const base::Status& why) {
        no_more_ = true;
        outcome_ = why;
        finish_if_drained();
    }

    void line_up(Id id) {
        auto& lane = lanes_[slot(id).produce->at()];
        lane.waiting.push_back(id);
        advance(lane);
    }

    void advance(Lane& lane) {
        while (!lane.waiting.empty()) {
            Slot& next = slot(lane.waiting.front());
            const bool alone = lane.in_work == 0;
            const bool here = next.produce->here();
            const bool beside =
                here && (!lane.first || (lane.first_here && !lane.first->repeats()));
            if (!alone && !beside) return;
            lane.waiting.pop_front();
            ++lane.in_work;
            if (alone) {
                lane.first = next.produce;
                lane.first_here = here;
            }
            next.in_lane = true;
            // May be done within the call, and then this lane is advanced or gone.
            const auto produce = next.produce;
            shard().post([produce, alone] { produce->go(alone); });
        }
    }

    void done(Id id, Answer answer) {
        if (finished_) return;
        Slot& ended = slot(id);
        ended.answer = std::move(answer);
        const auto produce = std::exchange(ended.produce, nullptr);
        if (ended.in_lane) leave_lane(*produce);
        write();
    }

    void leave_lane(const Produce& produce) {
        const auto at = lanes_.find(produce.at());
        auto& lane = at->second;
        --lane.in_work;
        if (lane.first.get() == &produce) lane.first.reset();
        advance(lane);
        if (lane.in_work == 0) lanes_.erase(at);
    }

    void write() {
        if (writing_ || finished_ || slots_.empty() || !slots_.front().answer) return;
        const Answer answer = *std::move(slots_.front().answer);
        slots_.pop_front();
        ++first_id_;
        if (!answer.status.ok()) return finish(answer.status);
        writing_ = true;
        reply_ = *answer.reply;
        StartWrite(&reply_);
    }

    void finish_if_drained() {
        if (no_more_ && slots_.empty() && !writing_) finish(outcome_);
    }

    void finish(const base::Status& status) {
        if (std::exchange(finished_, true)) return;
        calls_.works.erase(this);
        timer_.reset();
        for (auto& one : slots_)
            if (one.produce) one.produce->cancel();
        Finish(transport::to_grpc(status));
    }

    Calls& calls_;
    const Pass pass_;
    const Client client_;
    grpc::ByteBuffer incoming_;
    grpc::ByteBuffer reply_;
    std::deque<Slot> slots_;  // requests whose reply has not left, in their order
    Id first_id_ = 0;         // of the first slot
    std::map<base::TopicPartition, Lane> lanes_;
    std::unique_ptr<io::Timer> timer_;
    base::Status outcome_;  // of the stream
    bool reading_ = false;
    bool placing_ = false;
    bool writing_ = false;
    bool no_more_ = false;  // the client has sent all, or what can't be read
    bool finished_ = false;
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* answer_produces(Calls& calls,
                                                                             Pass pass,
                                                                             Client client) {
    auto* call = new ProduceStream(calls, std::move(pass), std::move(client));
    call->start();
    return call;
}

}  // namespace broker::rpc
