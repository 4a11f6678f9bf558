#include "broker/frames.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/endian.h"

namespace broker {

namespace {
constexpr size_t prefix = sizeof(int32_t);
}

FrameReader::FrameReader(uint32_t most_bytes, MemoryBudget& budget)
    : most_(most_bytes), budget_(budget), chunk_(new std::byte[chunk_bytes]) {}

FrameReader::State FrameReader::advance() {
    if (memory_ != nullptr) {
        if (filled_ == size_) return State::ready;
        const bool room = filled_ < reserved_ || reserve(std::min(size_ - reserved_, reserve_step));
        return room ? State::need_bytes : State::need_memory;
    }
    const size_t available = end_ - begin_;
    if (available < prefix) return State::need_bytes;
    const auto length = base::load_be<int32_t>(chunk_.get() + begin_);
    if (length < 0 || static_cast<uint32_t>(length) > most_) {
        refused_ = length;
        return State::bad_length;
    }
    const auto size = static_cast<size_t>(length);
    const bool fits_a_chunk = size + prefix <= chunk_bytes;
    if (fits_a_chunk && available < size + prefix) return State::need_bytes;
    if (!fits_a_chunk && !reserve(std::min(size, reserve_step))) return State::need_memory;
    size_ = size;
    begin_ += prefix;
    if (fits_a_chunk) {
        memory_ = chunk_;
        filled_ = size;
        return State::ready;
    }
    // Not zeroed, so pages cost nothing until the bytes have really come.
    memory_ = std::shared_ptr<std::byte[]>(new std::byte[size]);
    filled_ = std::min(available - prefix, size);
    std::memcpy(memory_.get(), chunk_.get() + begin_, filled_);
    begin_ += filled_;
    return filled_ == size_ ? State::ready : State::need_bytes;
}

base::MutableView FrameReader::space() {
    if (memory_ != nullptr) return {memory_.get() + filled_, std::min(size_, reserved_) - filled_};
    if (begin_ == end_ || end_ == chunk_bytes) renew_chunk();
    return {chunk_.get() + end_, chunk_bytes - end_};
}

bool FrameReader::reserve(size_t bytes) {
    if (!budget_.take(bytes)) return false;
    hold_.add(budget_, bytes);
    reserved_ += bytes;
    return true;
}

/// Frames that still look into the chunk keep it; what is left of the next one moves on.
void FrameReader::renew_chunk() {
    if (chunk_.use_count() == 1) {
        std::memmove(chunk_.get(), chunk_.get() + begin_, end_ - begin_);
    } else {
        std::shared_ptr<std::byte[]> fresh(new std::byte[chunk_bytes]);
        std::memcpy(fresh.get(), chunk_.get() + begin_, end_ - begin_);
        chunk_ = std::move(fresh);
    }
    end_ -= begin_;
    begin_ = 0;
}

void FrameReader::received(size_t bytes) {
    if (memory_ != nullptr) {
        filled_ += bytes;
        CHECK(filled_ <= size_);
    } else {
        end_ += bytes;
        CHECK(end_ <= chunk_bytes);
    }
}

Frame FrameReader::take() {
    CHECK(memory_ != nullptr && filled_ == size_);
    Frame frame;
    if (memory_ == chunk_) {
        frame.bytes = {chunk_.get() + begin_, size_};
        begin_ += size_;
    } else {
        frame.bytes = {memory_.get(), size_};
    }
    frame.memory = std::move(memory_);
    frame.hold = std::move(hold_);
    memory_ = nullptr;
    hold_ = MemoryHold();
    reserved_ = 0;
    return frame;
}

}  // namespace broker
