#pragma once
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/function.h"
#include "base/status.h"
#include "broker/controller_link.h"
#include "metadata/image.h"

namespace broker {

/// This broker's session with the active controller: registers it, tells that it lives, asks for it
/// to be in service once it can be, and out of it when the broker stops. Lives on the home shard.
class Registration {
  public:
    Registration(io::Shard& home, ControllerLink&, std::chrono::milliseconds heartbeat);

    /// Registers; `done` gets the broker's epoch, or why it can't have one, once. What may pass is
    /// tried again for as long as it takes. From then on heartbeats are sent, that leave the broker
    /// fenced. If it is forgotten meanwhile, it registers again.
    void start(metadata::Broker, const std::string& cluster_id, int64_t previous_epoch,
               base::Function<void(kafka::Outcome<int64_t>)> done);
    /// Runs on the home shard with each epoch that the broker is registered with, before anything
    /// else hears of it.
    void on_epoch(base::Function<void(int64_t)> told) { told_epoch_ = std::move(told); }
    /// Runs on the home shard with false once the controller has not answered for `session`, so
    /// that it may have given this broker's leaderships away, and with true once it answers again.
    void on_session(std::chrono::milliseconds session, base::Function<void(bool)> told) {
        session_ = session;
        told_session_ = std::move(told);
    }
    /// Asked before each heartbeat, on the home shard: whether this broker can do its work. While
    /// it can't, it asks that others lead.
    void ask_if_fit(base::Function<bool()> fit) { fit_ = std::move(fit); }
    /// How far this broker has brought the metadata into effect. `awaited`: somebody waits for the
    /// controller to hear of that.
    void caught_up_to(int64_t metadata_index, bool awaited);
    /// It can serve from now on: `done` runs once the controller has taken it into service, with
    /// the index of the entry that says so.
    void serve(base::Function<void(int64_t index)> done);
    /// Gives its leaderships away, as long as somebody else may have them: `done` runs when nothing
    /// depends on this broker any more, or `patience` is over. No heartbeat is sent afterwards.
    void withdraw(std::chrono::milliseconds patience, base::Function<void()> done);
    void stop();

    /// -1 while it is not registered. On the home shard.
    int64_t epoch() const { return epoch_; }

  private:
    void register_now();
    void registered(
        const kafka::Outcome<controller::Service::Answered<kafka::BrokerRegistrationResponse>>&);
    void beat();
    void beaten(
        const kafka::Outcome<controller::Service::Answered<kafka::BrokerHeartbeatResponse>>&);
    void beat_after(std::chrono::milliseconds);
    void renew_session();
    void check_session();
    void withdrawn();
    void give_up();

    io::Shard& home_;
    ControllerLink& link_;
    const std::chrono::milliseconds heartbeat_;
    kafka::BrokerRegistrationRequest request_;
    base::Function<void(int64_t)> told_epoch_;
    base::Function<bool()> fit_;
    std::chrono::milliseconds session_{0};
    base::Function<void(bool)> told_session_;
    bool in_session_ = true;
    base::InstantMs sent_at_ = 0;   // the heartbeat that is out, or was last
    base::InstantMs heard_of_ = 0;  // when the last one that was answered was sent
    std::unique_ptr<io::Timer> session_timer_;
    base::Function<void(kafka::Outcome<int64_t>)> on_registered_;
    base::Function<void(int64_t)> on_served_;
    base::Function<void()> on_withdrawn_;
    base::InstantMs give_up_at_ = 0;  // registering another process's id, or withdrawing
    int64_t epoch_ = -1;
    int64_t metadata_index_ = 0;
    bool serves_ = false;
    bool withdraws_ = false;
    kafka::ErrorCode told_ = kafka::ErrorCode::none;  // why it is not registered yet
    int unanswered_ = 0;                              // heartbeats, one after the other
    bool asking_ = false;
    bool again_ = false;  // what is to be told has changed while one was out
    bool stopped_ = false;
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace broker
