#include "replication/streams/entrance.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>

#include "io/transport/convert.h"
#include "proto/replication.grpc.pb.h"
#include "replication/streams/buffers.h"
#include "replication/streams/follower_stream.h"
#include "replication/streams/wire.h"
#include "replication/streams/write_turn.h"

namespace replication::streams {

namespace {

namespace v1 = moldau::replication::v1;

using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

/// For what is still being written when a stream ends: to a follower that takes nothing it never
/// is. Who is cut short is not told why.
constexpr std::chrono::milliseconds kPatience{500};

class Refusal final : public Reactor {
  public:
    explicit Refusal(const base::Status& why) { Finish(transport::to_grpc(why)); }
    void OnDone() override { delete this; }
};

base::Result<Hello> read_hello(const grpc::CallbackServerContext& context) {
    const auto& metadata = context.client_metadata();
    if (metadata.count(kHelloKey) != 1) return base::invalid("a stream needs one hello");
    const auto& bytes = metadata.find(kHelloKey)->second;
    return decode_hello({bytes.data(), bytes.size()});
}

}  // namespace

/// One call. What gRPC reports on its threads is posted to the shard at once, and each next step is
/// begun there. gRPC calls OnDone only after our Finish, so until then `this` is valid.
class FollowerCall final : public FollowerStream, public Reactor {
  public:
    FollowerCall(std::shared_ptr<void> inside, io::Shards& shards, io::Shard& home,
                 Followers& followers, grpc::CallbackServerContext& context, Hello hello)
        : FollowerStream(std::move(hello)),
          inside_(std::move(inside)),
          home_(home),
          followers_(followers),
          shards_(static_cast<uint32_t>(shards.count())),
          context_(context) {
        home_.post([this] { arrive(); });
    }

    void OnReadDone(bool ok) override {
        if (!ok) {
            home_.post([this] { end(base::ok()); });
            return;
        }
        base::Result<FollowerMessage> message = FollowerMessage();
        if (auto read = received_.take(in_); read.ok())
            message = decode_follower(received_.whole(), hello_.from);
        else message = read;
        received_.clear();
        home_.post([this, m = std::move(message)] { take(m); });
    }
    void OnWriteDone(bool) override {
        if (turn_.end()) home_.post([this] { written(); });
    }
    void OnDone() override {
        home_.post([self = std::unique_ptr<FollowerCall>(this)] {});
    }

    // On the home shard from here on.

    void wake() override {
        if (std::exchange(woken_, true)) return;
        // What else this turn of the loop brings goes with it.
        home_.post([this] {
            woken_ = false;
            write();
        });
    }

    void end(const base::Status& why) override {
        if (std::exchange(over_, true)) return;
        status_ = transport::to_grpc(why);
        followers_.leave(*this);
        if (!turn_.taken()) Finish(status_);
        else if (!why.ok()) patience_ = home_.after(kPatience, [this] { context_.TryCancel(); });
    }

  private:
    void arrive() {
        if (auto refused = followers_.enter(*this); !refused.ok()) return end(refused);
        out_ = to_buffer({welcome()});
        turn_.begin();
        StartWrite(&out_);
        StartRead(&in_);
        if (hello_.wanted >= shards_) end(base::ok());
    }

    base::Slice welcome() const {
        const std::string text = encode(Welcome{.shards = shards_});
        const auto bytes = base::as_bytes(text);
        return base::Slice(base::Bytes(bytes.begin(), bytes.end()));
    }

    void take(const base::Result<FollowerMessage>& message) {
        if (over_) return;
        if (!message.ok()) return end(message.status());
        if (cut_ == nullptr) followers_.receive(*this, *message);
        if (!over_) StartRead(&in_);
    }

    void write() {
        if (over_ || cut_ != nullptr) return;
        while (feed_->more() && !turn_.taken()) {
            const auto pieces = feed_->take();
            if (pieces.empty()) return;
            out_ = to_buffer(pieces);
            turn_.begin();
            StartWrite(&out_);
        }
    }

    void written() {
        turn_.told();
        if (over_) Finish(status_);
        else write();
    }

    const std::shared_ptr<void> inside_;
    io::Shard& home_;
    Followers& followers_;
    const uint32_t shards_;
    grpc::CallbackServerContext& context_;
    grpc::ByteBuffer in_;
    Received received_;
    grpc::ByteBuffer out_;
    WriteTurn turn_;
    bool woken_ = false;
    bool over_ = false;
    grpc::Status status_;
    std::unique_ptr<io::Timer> patience_;
};

class Entrance::Service final
    : public v1::Replication::WithRawCallbackMethod_Follow<v1::Replication::Service> {
  public:
    explicit Service(transport::Door& door) : door_(door) {}

    Reactor* Follow(grpc::CallbackServerContext* context) override {
        auto inside = door_.enter();
        if (inside == nullptr)
            return new Refusal(base::unavailable("the broker is starting or stopping"));
        auto hello = read_hello(*context);
        if (!hello.ok()) return new Refusal(hello.status());
        const size_t shard = hello->wanted % followers_.size();
        return new FollowerCall(std::move(inside), *shards_, shards_->at(shard), *followers_[shard],
                                *context, *std::move(hello));
    }

    void lead_to(io::Shards& shards, std::vector<Followers*> followers) {
        shards_ = &shards;
        followers_ = std::move(followers);
    }

  private:
    transport::Door& door_;
    io::Shards* shards_ = nullptr;
    std::vector<Followers*> followers_;
};

Entrance::Entrance(transport::Door& door) : service_(std::make_unique<Service>(door)) {}
Entrance::~Entrance() = default;

grpc::Service& Entrance::service() { return *service_; }

void Entrance::lead_to(io::Shards& shards, std::vector<Followers*> by_shard) {
    service_->lead_to(shards, std::move(by_shard));
}

}  // namespace replication::streams
