// The engine of kafka/wire.h: visitors for the `fields` member of a message. A .cc file that
// includes this names the messages it makes: `MOLDAU_WIRE(JoinGroupRequest);`. Other formats that
// are written alike (offsets and groups in their topics, a consumer's subscription) may use it too;
// they carry `static constexpr Format format{versions, flexible};` in place of an `api`.
#pragma once
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "base/varint.h"
#include "kafka/wire.h"

namespace kafka {

struct Format {
    Versions versions;
    Version flexible = never_flexible;
};

template <class T>
constexpr Format format_of() {
    if constexpr (requires { T::api; }) return {T::api.versions, T::api.flexible};
    else return T::format;
}

namespace wire {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T>
inline constexpr bool is_array<std::vector<T>> = !std::is_same_v<T, std::byte>;
template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// Before flexible versions the lengths of strings have 16 bits, all others 32.
template <class T>
inline constexpr bool has_short_length = std::is_same_v<T, std::string>;
/// What has a length says null by a length of -1; a struct by a byte of its own.
template <class T>
inline constexpr bool has_length = std::is_same_v<T, std::string> || std::is_same_v<T, Records> ||
                                   std::is_same_v<T, base::Bytes> || is_array<T>;

/// The unsigned integer that carries a number's bits.
template <class T>
auto bits_of(T v) {
    if constexpr (std::is_same_v<T, bool>) return static_cast<uint8_t>(v ? 1 : 0);
    else if constexpr (std::is_same_v<T, double>) return std::bit_cast<uint64_t>(v);
    else if constexpr (std::is_enum_v<T>)
        return static_cast<std::make_unsigned_t<std::underlying_type_t<T>>>(v);
    else return static_cast<std::make_unsigned_t<T>>(v);
}
template <class T>
using Bits = decltype(bits_of(T{}));

/// Strings have at most this many bytes in every version, as in Kafka: what one version brought can
/// then be told in any other.
inline constexpr size_t max_string = 0x7fff;
/// As much of `text` as a string may hold, cut between two characters.
std::string_view short_text(std::string_view text);

// ------------------------------------------------------------------------------------- writing

/// Where written values go: first to be counted, then to memory of exactly that size.
struct Counting {
    size_t size = 0;

    template <class U>
    void fixed(U) {
        size += sizeof(U);
    }
    void varint(uint32_t v) { size += base::varint_size(v); }
    void raw(base::View b) { size += b.size(); }
    void splice(uint32_t) {}
};

struct Storing {
    std::byte* at;
    const std::byte* begin;
    std::vector<Splice>* splices;

    template <class U>
    void fixed(U v) {
        base::store_be(at, v);
        at += sizeof v;
    }
    void varint(uint32_t v) {
        for (; v >= 0x80; v >>= 7) *at++ = static_cast<std::byte>(v | 0x80);
        *at++ = static_cast<std::byte>(v);
    }
    void raw(base::View b) {
        if (!b.empty()) std::memcpy(at, b.data(), b.size());
        at += b.size();
    }
    void splice(uint32_t size) { splices->push_back({static_cast<size_t>(at - begin), size}); }
};

template <class Sink>
class Writer {
  public:
    Writer(Sink sink, Version version, bool flexible)
        : sink_(sink), version_(version), flexible_(flexible) {}

    template <class T>
    [[gnu::noinline]] void object(const T& m) {
        const bool in_tags = std::exchange(in_tags_, false);
        const uint32_t tags = std::exchange(tags_, 0);
        T::fields(m, *this);
        if (flexible_) {
            sink_.varint(tags_);
            if (tags_ != 0) {
                in_tags_ = true;
                T::fields(m, *this);
            }
        }
        in_tags_ = in_tags;
        tags_ = tags;
    }

    template <class T>
    void operator()(std::string_view, const T& value, When when = {}) {
        if (in_tags_ || !when.present.has(version_)) return;
        put(value, when.nullable.has(version_));
    }

    /// Tagged fields follow the others, and only those that differ from their default.
    template <class T>
    void tag(uint32_t number, std::string_view, const T& value, When when,
             const std::type_identity_t<T>& unset = T{}) {
        if (!flexible_ || !when.present.has(version_) || value == unset) return;
        if (!in_tags_) {
            ++tags_;
            return;
        }
        const bool nullable = when.nullable.has(version_);
        Writer<Counting> inner({}, version_, flexible_);
        inner.put(value, nullable);
        sink_.varint(number);
        sink_.varint(static_cast<uint32_t>(inner.sink().size));
        put(value, nullable);
    }

    template <class T>
    void put(const T& v, bool nullable) {
        if constexpr (is_number<T>) sink_.fixed(bits_of(v));
        else if constexpr (is_optional<T>) put_optional(v, nullable);
        else if constexpr (std::is_same_v<T, base::Uuid>) {
            sink_.fixed(v.hi);
            sink_.fixed(v.lo);
        } else if constexpr (std::is_same_v<T, std::string>) {
            const std::string_view text = short_text(v);
            length<T>(text.size());
            sink_.raw(base::as_bytes(text));
        } else if constexpr (std::is_same_v<T, base::Bytes>) {
            length<T>(v.size());
            sink_.raw(v);
        } else if constexpr (std::is_same_v<T, Records>) {
            length<T>(v.size());
            if (v.spliced()) sink_.splice(v.size());
            else sink_.raw(v.bytes());
        } else if constexpr (is_array<T>) array(v);
        else object(v);
    }

    const Sink& sink() const { return sink_; }

  private:
    template <class T>
    void put_optional(const std::optional<T>& v, bool nullable) {
        if constexpr (!has_length<T>) {
            sink_.fixed(static_cast<uint8_t>(v || !nullable ? 1 : -1));
        } else if (!v && nullable) {
            if (flexible_) sink_.varint(0);
            else if constexpr (has_short_length<T>) sink_.fixed(uint16_t{0xffff});
            else sink_.fixed(uint32_t{0xffffffff});
        }
        if (v) put(*v, false);
        else if (!nullable) put(T{}, false);
    }

    template <class T>
    [[gnu::noinline]] void array(const std::vector<T>& v) {
        length<std::vector<T>>(v.size());
        for (const T& element : v) put(element, false);
    }

    template <class T>
    void length(size_t n) {
        if (flexible_) sink_.varint(static_cast<uint32_t>(n + 1));
        else if constexpr (has_short_length<T>) sink_.fixed(static_cast<uint16_t>(n));
        else sink_.fixed(static_cast<uint32_t>(n));
    }

    Sink sink_;
    Version version_;
    bool flexible_;
    bool in_tags_ = false;
    uint32_t tags_ = 0;  // tagged fields of the present object that have to be written
};

// ------------------------------------------------------------------------------------- reading

/// Tagged fields that one object may carry; Kafka's own have at most four.
inline constexpr uint32_t max_tags = 256;

class Reader {
  public:
    Reader(base::View in, Version version, bool flexible, Budget budget)
        : in_(in), version_(version), flexible_(flexible), budget_(budget.bytes) {}

    template <class T>
    [[gnu::noinline]] void object(T& m) {
        T::fields(m, *this);
        if (!flexible_ || failed_) return;
        const uint32_t tags = varint();
        if (tags > max_tags) fail("too many tagged fields");
        for (uint32_t i = 0; i < tags && !failed_; ++i) tagged(m);
    }

    template <class T>
    void operator()(std::string_view name, T& value, When when = {}) {
        if (tag_ != no_tag || failed_ || !when.present.has(version_)) return;
        get(value, when.nullable.has(version_));
        if (failed_) [[unlikely]]
            within(name);
    }

    template <class T>
    void tag(uint32_t number, std::string_view name, T& value, When when,
             const std::type_identity_t<T>& = T{}) {
        if (tag_ != number || failed_ || !when.present.has(version_)) return;
        tag_ = no_tag;  // for the objects within
        get(value, when.nullable.has(version_));
        tag_ = tag_read;
        if (!failed_ && !in_.empty()) fail("trailing bytes");
        if (failed_) [[unlikely]]
            within(name);
    }

    bool failed() const { return failed_; }
    base::View rest() const { return in_; }
    base::Status status() const;

  private:
    static constexpr int64_t no_tag = -1;
    static constexpr int64_t tag_read = -2;

    /// One tagged field. The object's list is searched for its number; what nobody knows is
    /// skipped.
    template <class T>
    void tagged(T& m) {
        const uint32_t number = varint();
        const uint32_t size = varint();
        const base::View value = take(size);
        if (failed_) return;
        const base::View rest = std::exchange(in_, value);
        tag_ = number;
        T::fields(m, *this);
        tag_ = no_tag;
        in_ = rest;
    }

    template <class T>
    void get(T& v, bool nullable) {
        if constexpr (std::is_same_v<T, bool>) v = fixed<uint8_t>() != 0;
        else if constexpr (std::is_same_v<T, double>) v = std::bit_cast<double>(fixed<uint64_t>());
        else if constexpr (is_number<T>) v = static_cast<T>(fixed<Bits<T>>());
        else if constexpr (is_optional<T>) get_optional(v, nullable);
        else if constexpr (std::is_same_v<T, base::Uuid>) {
            v.hi = fixed<uint64_t>();
            v.lo = fixed<uint64_t>();
        } else if constexpr (has_length<T>) {
            const int64_t n = length<T>();
            if (n < 0) fail("null is not allowed");
            else content(v, static_cast<size_t>(n));
        } else object(v);
    }

    template <class T>
    void get_optional(std::optional<T>& v, bool nullable) {
        int64_t n;
        if constexpr (has_length<T>) n = length<T>();
        else n = static_cast<int8_t>(fixed<uint8_t>());
        if (failed_) return;
        if (n < 0) {
            v.reset();
            if (!nullable) fail("null is not allowed");
            return;
        }
        if constexpr (has_length<T>) content(v.emplace(), static_cast<size_t>(n));
        else object(v.emplace(T{}));
    }

    void content(std::string& v, size_t n);
    void content(base::Bytes& v, size_t n);
    void content(Records& v, size_t n) { v = Records(take(n)); }
    template <class T>
    [[gnu::noinline]] void content(std::vector<T>& v, size_t n) {
        if (!admit(n, sizeof(T))) return;
        v.clear();
        v.reserve(n);
        for (size_t i = 0; i < n && !failed_; ++i) {
            get(v.emplace_back(), false);
            if (failed_) [[unlikely]]
                within(i);
        }
    }

    /// The length that precedes what has one; -1 for null. Anything below is refused.
    template <class T>
    int64_t length() {
        int64_t n;
        if (flexible_) n = static_cast<int64_t>(varint()) - 1;
        else if constexpr (has_short_length<T>) n = static_cast<int16_t>(fixed<uint16_t>());
        else n = static_cast<int32_t>(fixed<uint32_t>());
        if (n < -1) [[unlikely]]
            fail("negative length");
        return n;
    }

    template <class U>
    U fixed() {
        if (in_.size() < sizeof(U)) [[unlikely]] {
            fail("truncated");
            return 0;
        }
        const U v = base::load_be<U>(in_.data());
        in_ = in_.subspan(sizeof(U));
        return v;
    }

    uint32_t varint() {
        if (!in_.empty() && (in_[0] & std::byte{0x80}) == std::byte{0}) [[likely]] {
            const auto v = static_cast<uint32_t>(in_[0]);
            in_ = in_.subspan(1);
            return v;
        }
        return long_varint();
    }

    uint32_t long_varint();
    base::View take(size_t n);
    /// Whether `n` elements may be decoded: they can be there, and the budget has room for them.
    bool admit(size_t n, size_t element_size);
    bool charge(size_t bytes);

    /// The first failure counts. The calls of `within` that follow it, as the recursion unwinds,
    /// build the path from the inside out.
    void fail(std::string_view why);
    void within(std::string_view name);
    void within(size_t index);

    base::View in_;
    Version version_;
    bool flexible_;
    bool failed_ = false;
    size_t budget_;
    int64_t tag_ = no_tag;  // of the tagged field that is looked for in the present object
    std::string path_;
    std::string why_;
};

// ------------------------------------------------------------------------------------ printing

class Printer {
  public:
    Printer(Version version, bool flexible) : version_(version), flexible_(flexible) {}

    template <class T>
    [[gnu::noinline]] void object(const T& m) {
        out_ += '{';
        T::fields(m, *this);
        out_ += '}';
    }

    template <class T>
    void operator()(std::string_view name, const T& value, When when = {}) {
        if (!when.present.has(version_)) return;
        key(name, shows_size(value));
        print(value);
    }

    template <class T>
    void tag(uint32_t, std::string_view name, const T& value, When when,
             const std::type_identity_t<T>& unset = T{}) {
        if (flexible_ && value != unset) (*this)(name, value, when);
    }

    std::string take() { return std::move(out_); }

  private:
    template <class T>
    static bool shows_size(const T& v) {
        if constexpr (std::is_same_v<T, std::optional<Records>>) return v.has_value();
        else return std::is_same_v<T, Records>;
    }

    template <class T>
    void print(const T& v) {
        if constexpr (std::is_same_v<T, bool>) out_ += v ? "true" : "false";
        else if constexpr (std::is_same_v<T, double>) number(v);
        else if constexpr (is_number<T>) number(static_cast<int64_t>(v));
        else if constexpr (is_optional<T>) v ? print(*v) : null();
        else if constexpr (std::is_same_v<T, std::string>) text(v);
        else if constexpr (std::is_same_v<T, base::Uuid>) text(v.to_string());
        else if constexpr (std::is_same_v<T, base::Bytes>) base64(v);
        else if constexpr (std::is_same_v<T, Records>) number(int64_t{v.size()});
        else if constexpr (is_array<T>) array(v);
        else object(v);
    }

    template <class T>
    [[gnu::noinline]] void array(const std::vector<T>& v) {
        out_ += '[';
        for (const T& element : v) {
            comma();
            print(element);
        }
        out_ += ']';
    }

    void key(std::string_view name, bool of_size);
    void comma();
    void number(int64_t);
    void number(double);
    void text(std::string_view);
    void base64(base::View);
    void null();

    Version version_;
    bool flexible_;
    std::string out_;
};

/// kInvalidArgument unless `versions` has `version`.
base::Status check_version(Versions versions, Version version);

}  // namespace wire

template <class T>
base::Result<T> decode_front(base::View& in, Version version, Budget budget) {
    constexpr Format format = format_of<T>();
    if (auto bad = wire::check_version(format.versions, version); !bad.ok()) return bad;
    wire::Reader reader(in, version, version >= format.flexible, budget);
    base::Result<T> message{T{}};
    reader.object(*message);
    if (reader.failed()) return reader.status();
    in = reader.rest();
    return message;
}

template <class T>
base::Result<T> decode(base::View in, Version version, Budget budget) {
    auto message = decode_front<T>(in, version, budget);
    if (message.ok() && !in.empty())
        return base::invalid(std::to_string(in.size()) + " trailing bytes");
    return message;
}

template <class T>
Encoded encode(const T& message, Version version, size_t headroom) {
    constexpr Format format = format_of<T>();
    CHECK(format.versions.has(version)) << "version " << version;
    const bool flexible = version >= format.flexible;
    wire::Writer<wire::Counting> counter({}, version, flexible);
    counter.object(message);
    Encoded out;
    out.bytes.resize(headroom + counter.sink().size);
    std::byte* const begin = out.bytes.data();
    wire::Writer<wire::Storing> writer({begin + headroom, begin, &out.splices}, version, flexible);
    writer.object(message);
    CHECK(writer.sink().at == begin + out.bytes.size());
    return out;
}

template <class T>
std::string json(const T& message, Version version) {
    constexpr Format format = format_of<T>();
    CHECK(format.versions.has(version)) << "version " << version;
    wire::Printer printer(version, version >= format.flexible);
    printer.object(message);
    return printer.take();
}

}  // namespace kafka

/// Makes the calls of kafka/wire.h for a message; in namespace kafka.
#define MOLDAU_WIRE(T)                                                      \
    template base::Result<T> decode<T>(base::View, Version, Budget);        \
    template base::Result<T> decode_front<T>(base::View&, Version, Budget); \
    template Encoded encode<T>(const T&, Version, size_t);                  \
    template std::string json<T>(const T&, Version)
