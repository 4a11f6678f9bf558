#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "broker/memory_budget.h"

namespace broker {

/// One request as received, without its length. The bytes may be written to by who holds the frame
/// (offsets go into batch headers in place).
struct Frame {
    std::shared_ptr<std::byte[]> memory;
    base::MutableView bytes;
    MemoryHold hold;
};

/// Cuts the bytes of a connection into frames: an int32 length, then as many bytes.
/// Small frames are views into a chunk that is read at once; a large one is received straight into
/// memory of its own, so its bytes are copied at most once, for the part that came with the chunk.
class FrameReader {
  public:
    enum class State : uint8_t {
        need_bytes,   // read into space(), then received()
        need_memory,  // the budget is used up: try again later
        ready,        // take() gives a frame
        bad_length,   // negative or above the limit: close the connection
    };

    FrameReader(uint32_t most_bytes, MemoryBudget& budget);

    State advance();
    /// Where the next bytes of the connection go; never empty in need_bytes.
    base::MutableView space();
    void received(size_t bytes);
    Frame take();

    /// The length that was refused, in bad_length.
    int32_t refused_length() const { return refused_; }
    /// Whether a frame has begun and is not complete.
    bool inside_frame() const { return memory_ != nullptr || end_ > begin_; }
    /// Bytes of the large frame that is being received; 0 if there is none.
    size_t large_frame_bytes() const { return memory_ != nullptr ? size_ : 0; }

  private:
    static constexpr size_t chunk_bytes = 16 << 10;

    /// A large frame takes its memory from the budget as its bytes arrive, so that who only claims
    /// to send much holds little.
    static constexpr size_t reserve_step = 1 << 20;

    bool reserve(size_t bytes);
    void renew_chunk();

    const uint32_t most_;
    MemoryBudget& budget_;
    std::shared_ptr<std::byte[]> chunk_;
    size_t begin_ = 0;  // of what is not consumed in the chunk
    size_t end_ = 0;
    std::shared_ptr<std::byte[]> memory_;  // of a large frame that is being received
    size_t size_ = 0;
    size_t filled_ = 0;
    size_t reserved_ = 0;
    MemoryHold hold_;
    int32_t refused_ = 0;
};

}  // namespace broker
