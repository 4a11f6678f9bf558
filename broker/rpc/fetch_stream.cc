#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "broker/rpc/fetch.h"
#include "broker/rpc/message.h"
#include "broker/rpc/reactors.h"
#include "io/transport/convert.h"

namespace broker::rpc {

namespace {

// Of one round; then the next one begins, in silence.
constexpr std::chrono::milliseconds kMaxWait{20'000};
// A stream has no deadline but its client's.
constexpr std::chrono::milliseconds kPatience = std::chrono::hours(1);

/// One Fetch after the other: the next is begun only when the reply before has left, so that a slow
/// reader holds one.
class FetchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, private Work {
  public:
    FetchStream(Calls& calls, Pass pass, Client client)
        : calls_(calls), pass_(std::move(pass)), client_(std::move(client)) {}

    void start(const grpc::ByteBuffer& request) {
        shard().post([this, request] {
            if (calls_.closed) return finish(base::unavailable(not_taken));
            calls_.works.insert(this);
            const auto message = take_message(request, calls_.host.services.memory);
            if (!message.ok()) return finish(message.status());
            auto ask = read_fetch_stream((*message)->bytes);
            if (!ask.ok()) return finish(ask.status());
            ask_ = *std::move(ask);
            ask_.max_wait = kMaxWait;
            next();
        });
    }

    void OnWriteDone(bool ok) override {
        shard().post([this, ok] {
            if (finished_) return;
            hold_ = {};
            if (!ok) return finish(absl::CancelledError("the client has gone"));
            // What can't be mended was told.
            if (failed_) return finish(base::ok());
            next();
        });
    }
    void OnCancel() override {
        shard().post([this] { finish(absl::CancelledError("the client has gone")); });
    }
    void OnDone() override {
        shard().post([self = std::unique_ptr<FetchStream>(this)] {});
    }

  private:
    io::Shard& shard() { return calls_.host.local.shard; }

    void end(const base::Status& status) override { finish(status); }

    void next() {
        fetch_ = std::make_shared<Fetch>(calls_.host, client_, ask_, kPatience);
        fetch_->run([this](Answer answer) { answered(std::move(answer)); });
    }

    void answered(Answer answer) {
        if (!answer.status.ok()) return finish(answer.status);
        const bool moved = answer.next_offset != ask_.offset;
        failed_ = answer.error != kafka::ErrorCode::none;
        ask_.offset = answer.next_offset;
        if (!moved && !failed_) {
            // Nothing came in that time. Later, as it may be answered within the call.
            shard().post([this] {
                if (!finished_) next();
            });
            return;
        }
        hold_ = std::move(answer.hold);
        reply_ = *answer.reply;
        StartWrite(&reply_);
    }

    void finish(const base::Status& status) {
        if (std::exchange(finished_, true)) return;
        calls_.works.erase(this);
        if (fetch_) fetch_->cancel();
        Finish(transport::to_grpc(status));
    }

    Calls& calls_;
    const Pass pass_;
    const Client client_;
    FetchAsk ask_;
    std::shared_ptr<Fetch> fetch_;
    grpc::ByteBuffer reply_;
    MemoryHold hold_;  // of the reply
    bool failed_ = false;
    bool finished_ = false;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* answer_fetches(Calls& calls, Pass pass, Client client,
                                                           const grpc::ByteBuffer& request) {
    auto* call = new FetchStream(calls, std::move(pass), std::move(client));
    call->start(request);
    return call;
}

}  // namespace broker::rpc
