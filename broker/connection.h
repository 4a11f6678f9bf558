#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/call.h"
#include "broker/frames.h"
#include "broker/lost_leaders.h"
#include "broker/pipeline.h"
#include "io/shard.h"
#include "io/socket.h"

namespace broker {

/// The address without the port: "10.0.0.7" of "10.0.0.7:41234", "::1" of "[::1]:41234".
std::string address_of(const std::string& peer);

/// One client's connection: cuts requests out of its bytes, gives each to its handler as soon as
/// its predecessors allow, and sends the answers in order. Lives on one shard.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// Requests of one connection that may be in work or waiting to leave.
    static constexpr size_t most_requests = 128;
    /// Answer bytes in memory that may wait for a slow reader before no more is read from it.
    static constexpr size_t most_answer_bytes = 8 << 20;

    Connection(Services&, Local&, std::unique_ptr<io::Stream>, std::string listener);

    /// `closed` is called once, on the connection's shard. Before start().
    void on_close(base::Function<void()> closed) { closed_ = std::move(closed); }
    void start();
    /// Drops the connection if it has been idle or slow for too long.
    void look_after(base::InstantMs now);
    /// Ends the connection if it has sent its client to `lost`, as LeadersTold::outdated() has it,
    /// or carries records for one that was told of leaders elsewhere, and `since` is no limit (0):
    /// once what is in work is answered, and if that is soon. What was not begun is not done, so no
    /// client need wonder whether it was.
    void leave_if_outdated(base::BrokerId lost, base::InstantMs since, base::InstantMs lost_at);
    /// Drops the connection. Answers still owed are not sent.
    void close(const std::string& why);

  private:
    struct Answer {
        std::vector<io::Piece> pieces;
        size_t memory_bytes = 0;
    };
    class Slot;

    void pump();
    void read();
    bool may_take_more() const;
    base::InstantMs frame_limit_ms() const;
    void begin(Frame, const kafka::Request&);
    void finish(Pipeline<Answer>::Slot, std::optional<Answer>);
    void write();
    void wait_for_memory();
    void leave();
    void stay();
    void end_if_answered();
    void end();
    void discard();
    /// Drops the connection for what the client sent: counted, and told in the log now and then.
    void refuse(const std::string& why);

    Services& services_;
    Local& local_;
    std::unique_ptr<io::Stream> stream_;
    const std::string listener_;
    const std::string peer_;
    base::Function<void()> closed_;
    FrameReader frames_;
    Pipeline<Answer> pipeline_;
    struct Held {
        Frame frame;
        kafka::Request request;  // its body is a view into the frame
    };
    const std::shared_ptr<LeadersTold> leaders_told_ = std::make_shared<LeadersTold>();
    /// Takes no more requests, as it will end; has ended what it sends, and waits for the client to
    /// do the same.
    enum class Leaving : uint8_t { no, answers, ended };
    Leaving leaving_ = Leaving::no;
    bool carries_records_ = false;
    bool asked_who_leads_ = false;
    bool unread_ = false;  // something has come since it leaves, and won't be looked at
    std::unique_ptr<io::Timer> leaving_timer_;
    base::Bytes discarded_;
    std::optional<Held> held_;  // read, but its predecessors must finish first
    std::vector<Answer> writing_;
    size_t answer_bytes_ = 0;
    bool reading_ = false;
    bool waiting_for_memory_ = false;
    bool pumping_ = false;
    bool open_ = true;
    std::unique_ptr<io::Timer> memory_timer_;
    base::InstantMs last_active_;
    base::InstantMs last_look_;
    base::InstantMs frame_age_ms_ = 0;  // for how long a frame has been on its way
};

}  // namespace broker
