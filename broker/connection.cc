#include "broker/connection.h"

#include "base/endian.h"
#include "broker/dispatch.h"
#include "kafka/header.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

/// How fast a large frame must come, so that a slow line may send it and a silent one may not.
constexpr size_t frame_bytes_a_second = 256 << 10;
/// For what is in work when the connection is to end, and for the client to end it too.
constexpr std::chrono::milliseconds leaving_patience{1000}, ended_patience{10'000};
/// For another request, so that it fails: librdkafka asks once when a connection breaks, maybe the
/// very broker that hangs, but again and again when a request breaks with it.
constexpr std::chrono::milliseconds request_patience{100};
constexpr size_t discard_bytes = 16 << 10;

}  // namespace

std::string address_of(const std::string& peer) {
    std::string host = peer.substr(0, peer.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

/// Where one request's answer goes. If a handler lets go of it without a word, that is a bug there;
/// the connection is closed, so that its client does not wait for ever.
class Connection::Slot : public Answers {
  public:
    Slot(std::shared_ptr<Connection> connection, Pipeline<Answer>::Slot place)
        : connection_(std::move(connection)), place_(place) {}

    ~Slot() override {
        if (connection_) connection_->close("a request was dropped without an answer");
    }

    void answer(kafka::Encoded frame, std::vector<std::vector<storage::FileSlice>> files) override {
        CHECK(files.size() == frame.splices.size());
        Answer out{.pieces = {}, .memory_bytes = frame.bytes.size()};
        const base::Slice whole(std::move(frame.bytes));
        size_t from = 0;
        for (size_t i = 0; i < files.size(); ++i) {
            const size_t to = frame.splices[i].position;
            if (to > from) out.pieces.emplace_back(whole.part(from, to - from));
            from = to;
            for (auto& f : files[i])
                out.pieces.emplace_back(io::FileRange{std::move(f.file), f.position, f.size});
        }
        if (from < whole.size()) out.pieces.emplace_back(whole.part(from, whole.size() - from));
        std::exchange(connection_, nullptr)->finish(place_, std::move(out));
    }
    void no_answer() override { std::exchange(connection_, nullptr)->finish(place_, std::nullopt); }
    void close(const std::string& why) override {
        std::exchange(connection_, nullptr)->refuse(why);
    }
    bool wanted() const override { return connection_->open_; }

  private:
    std::shared_ptr<Connection> connection_;
    const Pipeline<Answer>::Slot place_;
};

Connection::Connection(Services& services, Local& local, std::unique_ptr<io::Stream> stream,
                       std::string listener)
    : services_(services),
      local_(local),
      stream_(std::move(stream)),
      listener_(std::move(listener)),
      peer_(address_of(stream_->peer())),
      frames_(services.settings.max_request_bytes, services.memory),
      last_active_(io::monotonic_clock()),
      last_look_(last_active_) {}

void Connection::start() { pump(); }

bool Connection::may_take_more() const {
    return leaving_ == Leaving::no && pipeline_.size() < most_requests &&
           answer_bytes_ < most_answer_bytes;
}

/// Goes on with whatever can go on: begins requests that are there, reads more when all are begun.
/// Handlers may answer at once, which comes back here: hence the guard and the loop.
void Connection::pump() {
    if (pumping_) return;
    pumping_ = true;
    while (open_ && may_take_more()) {
        if (held_) {
            if (!pipeline_.admits(effect_of(held_->request.api->key))) break;
            auto next = *std::exchange(held_, std::nullopt);
            begin(std::move(next.frame), next.request);
            continue;
        }
        const auto state = frames_.advance();
        if (state == FrameReader::State::ready) {
            Frame frame = frames_.take();
            frame_age_ms_ = 0;
            const auto request = kafka::read_request(frame.bytes);
            if (!request.ok()) {
                refuse(base::message(request.status()));
                break;
            }
            held_ = {std::move(frame), *request};
            continue;
        }
        if (state == FrameReader::State::need_bytes) read();
        else if (state == FrameReader::State::need_memory) wait_for_memory();
        else
            refuse("a frame of " + std::to_string(frames_.refused_length()) + " bytes; at most " +
                   std::to_string(services_.settings.max_request_bytes) + " are taken");
        break;
    }
    pumping_ = false;
}

void Connection::read() {
    if (reading_) return;
    reading_ = true;
    stream_->read_some(frames_.space(), [self = shared_from_this()](base::Result<size_t> n) {
        self->reading_ = false;
        if (!self->open_) return;
        self->unread_ = true;
        if (self->leaving_ == Leaving::ended && n.ok() && *n > 0) return self->discard();
        if (!n.ok() || *n == 0)
            return self->close(n.ok() ? "closed by the client" : base::message(n.status()));
        self->last_active_ = io::monotonic_clock();
        self->frames_.received(*n);
        self->pump();
        self->end_if_answered();
    });
}

void Connection::wait_for_memory() {
    waiting_for_memory_ = true;
    memory_timer_ = local_.shard.after(std::chrono::milliseconds(10), [this] {
        waiting_for_memory_ = false;
        pump();
    });
}

void Connection::begin(Frame frame, const kafka::Request& request) {
    const auto key = request.api->key;
    carries_records_ |= key == kafka::ApiKey::produce || key == kafka::ApiKey::fetch;
    asked_who_leads_ |= key == kafka::ApiKey::metadata;
    const auto place = pipeline_.begin(effect_of(key));
    auto call = std::make_shared<Call>(Call{.services = services_,
                                            .local = local_,
                                            .version = request.header.api_version,
                                            .client_id = request.header.client_id.value_or(""),
                                            .client_host = peer_,
                                            .listener = listener_,
                                            .frame = std::move(frame),
                                            .leaders_told = leaders_told_});
    dispatch(request, std::move(call), std::make_shared<Slot>(shared_from_this(), place));
}

void Connection::finish(Pipeline<Answer>::Slot place, std::optional<Answer> answer) {
    CHECK(local_.shard.here());
    if (!open_) return;
    if (answer) answer_bytes_ += answer->memory_bytes;
    pipeline_.finish(place, std::move(answer));
    write();
    if (leaders_told_->knows_nothing() && leaving_ == Leaving::no) leave();
    pump();
    end_if_answered();
}

void Connection::write() {
    if (!writing_.empty()) return;
    writing_ = pipeline_.take_ready();
    if (writing_.empty()) return;
    std::vector<io::Piece> pieces;
    for (auto& answer : writing_)
        std::move(answer.pieces.begin(), answer.pieces.end(), std::back_inserter(pieces));
    stream_->write(std::move(pieces), [self = shared_from_this()](const base::Status& status) {
        if (!self->open_) return;
        if (!status.ok()) return self->close(base::message(status));
        self->last_active_ = io::monotonic_clock();
        for (const auto& answer : self->writing_) self->answer_bytes_ -= answer.memory_bytes;
        self->writing_.clear();
        self->write();
        self->pump();
        self->end_if_answered();
    });
}

void Connection::leave_if_outdated(base::BrokerId lost, base::InstantMs since,
                                   base::InstantMs lost_at) {
    if (!open_ || leaving_ != Leaving::no) return;
    // Who never asked here was told elsewhere, perhaps by the one that hangs.
    const bool told_elsewhere = since <= 0 && carries_records_ && !asked_who_leads_;
    if (!told_elsewhere && !leaders_told_->outdated(lost, since, lost_at)) return;
    // A member of a group that waits for the others has not asked to be sent away.
    if (!pipeline_.changing()) leave();
}

void Connection::leave() {
    leaving_ = Leaving::answers;
    unread_ = held_.has_value();
    leaving_timer_ = local_.shard.after(leaving_patience, [this] { stay(); });
    end_if_answered();
}

/// Something takes longer: the client waits for that, and must be able to ask for more.
void Connection::stay() {
    leaving_ = Leaving::no;
    pump();
}

void Connection::end_if_answered() {
    if (!open_ || leaving_ != Leaving::answers) return;
    if (pipeline_.size() > 0 || !writing_.empty()) return;
    if (reading_ && !unread_) {
        leaving_timer_ = local_.shard.after(request_patience, [this] { end(); });
        return;
    }
    end();
}

void Connection::end() {
    leaving_ = Leaving::ended;
    spdlog::debug("connection of {} is ended, for the client to ask who leads", peer_);
    stream_->end_writing();
    leaving_timer_ = local_.shard.after(ended_patience, [this] { close("it was ended"); });
    discard();
}

/// What is left unread when a connection is closed makes TCP take back what was sent.
void Connection::discard() {
    if (reading_) return;
    reading_ = true;
    discarded_.resize(discard_bytes);
    stream_->read_some(discarded_, [self = shared_from_this()](base::Result<size_t> n) {
        self->reading_ = false;
        if (!self->open_) return;
        if (!n.ok() || *n == 0) return self->close("it was ended");
        self->discard();
    });
}

base::InstantMs Connection::frame_limit_ms() const {
    const size_t seconds = frames_.large_frame_bytes() / frame_bytes_a_second;
    return services_.settings.frame_limit.count() + static_cast<base::InstantMs>(seconds) * 1000;
}

void Connection::look_after(base::InstantMs now) {
    if (!open_) return;
    // Time during which nothing was read from it is not the client's; but large frames that all
    // wait for memory, each with a part of it, must not wait for each other for ever.
    const base::InstantMs passed = now - std::exchange(last_look_, now);
    const bool stuck = waiting_for_memory_ && frames_.large_frame_bytes() > 0;
    const bool on_its_way = reading_ && frames_.inside_frame();
    frame_age_ms_ = on_its_way || stuck ? frame_age_ms_ + passed : 0;
    if (frame_age_ms_ > frame_limit_ms())
        return refuse("a request did not arrive whole within request.frame.timeout.ms");
    const auto idle_limit = services_.settings.idle_limit.count();  // negative: none
    // Nothing in work, or an answer that the client does not take.
    const bool idle = pipeline_.size() == 0 || !writing_.empty();
    if (idle && idle_limit >= 0 && now - last_active_ > idle_limit)
        return close("idle for longer than connections.max.idle.ms");
}

void Connection::refuse(const std::string& why) {
    constexpr base::InstantMs warn_every_ms = 1000;
    ++local_.refused;
    const auto now = io::monotonic_clock();
    if (now - local_.warned_at >= warn_every_ms) {
        local_.warned_at = now;
        spdlog::warn("connection of {} dropped: {} ({} dropped so far)", peer_, why,
                     local_.refused);
    }
    close(why);
}

void Connection::close(const std::string& why) {
    if (!open_) return;
    open_ = false;
    spdlog::debug("connection of {} closed: {}", peer_, why);
    memory_timer_.reset();
    leaving_timer_.reset();
    held_.reset();
    stream_->close();
    // What closes a connection may be in the middle of it.
    local_.shard.post([self = shared_from_this()] { self->closed_(); });
}

}  // namespace broker
