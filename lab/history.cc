#include "lab/history.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/endian.h"
#include "base/varint.h"

namespace lab {
namespace {

constexpr std::string_view magic = "moldau history 1\n";
constexpr size_t head_size = magic.size() + sizeof(uint64_t);
constexpr size_t length_size = 2;
constexpr size_t fixed_size = 3;  // op, phase, flags
constexpr size_t longest_varint = 10;

/// Takes numbers off the front, and notes when there is none.
class Numbers {
  public:
    explicit Numbers(base::View in) : in_(in) {}
    int64_t signed_one() {
        const auto v = base::take_zigzag64(in_);
        good_ = good_ && v.has_value();
        return v.value_or(0);
    }
    uint64_t one() {
        const auto v = base::take_varint(in_, longest_varint);
        good_ = good_ && v.has_value();
        return v.value_or(0);
    }
    /// One that must fit a narrower type.
    template <class T>
    T narrow() {
        int64_t v = 0;
        if constexpr (std::is_signed_v<T>) v = signed_one();
        else v = static_cast<int64_t>(one());
        good_ = good_ && std::in_range<T>(v);
        return static_cast<T>(v);
    }
    bool good() const { return good_; }
    base::View rest() const { return in_; }

  private:
    base::View in_;
    bool good_ = true;
};

}  // namespace

HistoryEncoder::HistoryEncoder(uint64_t run) {
    const auto text = base::as_bytes(magic);
    out_.assign(text.begin(), text.end());
    out_.resize(head_size);
    base::store_be<uint64_t>(out_.data() + magic.size(), run);
}

void HistoryEncoder::add(const Event& event) {
    CHECK(event.time_ns >= last_ns_);
    const size_t from = out_.size();
    out_.resize(from + length_size);
    for (const uint8_t v :
         {static_cast<uint8_t>(event.op), static_cast<uint8_t>(event.phase), event.flags})
        out_.push_back(static_cast<std::byte>(v));
    base::put_varint(out_, static_cast<uint64_t>(event.time_ns - last_ns_));
    base::put_zigzag(out_, event.code);
    base::put_varint(out_, event.process);
    base::put_varint(out_, event.partition);
    base::put_varint(out_, event.group);
    base::put_zigzag(out_, event.epoch);
    base::put_zigzag(out_, event.offset);
    base::put_zigzag(out_, event.until);
    base::put_varint(out_, event.value.producer);
    base::put_varint(out_, event.value.counter);
    base::put_varint(out_, event.hash);
    const auto name = base::as_bytes(event.name);
    out_.insert(out_.end(), name.begin(), name.end());
    const size_t size = out_.size() - from - length_size;
    CHECK(size <= UINT16_MAX);
    base::store_be<uint16_t>(out_.data() + from, static_cast<uint16_t>(size));
    last_ns_ = event.time_ns;
}

base::Bytes HistoryEncoder::take() { return std::exchange(out_, {}); }

base::Result<HistoryDecoder> HistoryDecoder::begin(base::View bytes) {
    if (bytes.size() < head_size || base::as_text(bytes.first(magic.size())) != magic)
        return base::invalid("it is no history of this format");
    HistoryDecoder out;
    out.run_ = base::load_be<uint64_t>(bytes.data() + magic.size());
    out.rest_ = bytes.subspan(head_size);
    return out;
}

base::Result<bool> HistoryDecoder::next(Event& event) {
    if (rest_.empty()) return false;
    const size_t size = rest_.size() < length_size ? 0 : base::load_be<uint16_t>(rest_.data());
    if (rest_.size() < length_size || rest_.size() - length_size < size) {
        cut_ = rest_.size();
        rest_ = {};
        return false;
    }
    const base::View bytes = rest_.subspan(length_size, size);
    rest_ = rest_.subspan(length_size + size);
    if (size < fixed_size || static_cast<uint8_t>(bytes[0]) >= ops ||
        static_cast<uint8_t>(bytes[1]) > static_cast<uint8_t>(Phase::info))
        return base::data_loss("what should be an event is none");
    event.op = static_cast<Op>(bytes[0]);
    event.phase = static_cast<Phase>(bytes[1]);
    event.flags = static_cast<uint8_t>(bytes[2]);
    Numbers in(bytes.subspan(fixed_size));
    event.time_ns = last_ns_ += static_cast<int64_t>(in.one());
    event.code = in.narrow<int16_t>();
    event.process = in.narrow<uint32_t>();
    event.partition = in.narrow<uint32_t>();
    event.group = in.narrow<uint32_t>();
    event.epoch = in.narrow<int32_t>();
    event.offset = in.signed_one();
    event.until = in.signed_one();
    event.value.producer = in.narrow<uint32_t>();
    event.value.counter = in.one();
    event.hash = in.one();
    event.name = base::as_text(in.rest());
    if (!in.good()) return base::data_loss("an event's numbers make no sense");
    return true;
}

}  // namespace lab
