#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace broker {

/// What a request does to others on its connection. Kafka works on one request of a connection at a
/// time, so a client may count on the effect of one being there for the next. That still holds
/// here, but whatever can't be told apart from it runs side by side.
enum class Effect : uint8_t {
    reads,    // waits for the effects before it; nothing waits for it (Fetch, Metadata …)
    appends,  // Produce: runs beside other produces, whose order the partitions keep
    changes,  // everything else: waits for the effects before it, and all wait for it
};

/// The requests of one connection that are in work, in the order of their arrival, which is the
/// order of their answers. Pure. `Answer` is what goes out; a slot may end without one (acks=0).
template <class Answer>
class Pipeline {
  public:
    using Slot = uint64_t;

    /// Whether a request may begin now; if not, one that is in work must finish first.
    bool admits(Effect effect) const {
        if (changing_ > 0) return false;
        return effect == Effect::appends || appending_ == 0;
    }
    Slot begin(Effect effect) {
        (effect == Effect::changes   ? changing_
         : effect == Effect::appends ? appending_
                                     : reading_)++;
        slots_.push_back({.effect = effect});
        return first_ + slots_.size() - 1;
    }
    /// The request is done; its effects, if any, may be seen by those that follow.
    void finish(Slot slot, std::optional<Answer> answer) {
        Entry& e = slots_.at(slot - first_);
        e.done = true;
        e.answer = std::move(answer);
        (e.effect == Effect::changes   ? changing_
         : e.effect == Effect::appends ? appending_
                                       : reading_)--;
    }
    /// Answers that may leave now, in order; each is given once.
    std::vector<Answer> take_ready() {
        std::vector<Answer> out;
        while (!slots_.empty() && slots_.front().done) {
            if (auto& answer = slots_.front().answer) out.push_back(*std::move(answer));
            slots_.pop_front();
            ++first_;
        }
        return out;
    }

    /// Requests that have not left: in work, or waiting for one before them.
    size_t size() const { return slots_.size(); }
    /// Whether one is in work that the others wait for.
    bool changing() const { return changing_ > 0; }
    size_t in_work() const { return reading_ + appending_ + changing_; }

  private:
    struct Entry {
        Effect effect;
        bool done = false;
        std::optional<Answer> answer;
    };

    std::deque<Entry> slots_;
    Slot first_ = 0;
    size_t reading_ = 0, appending_ = 0, changing_ = 0;
};

}  // namespace broker
