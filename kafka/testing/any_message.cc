#include "kafka/testing/any_message.h"

#include <concepts>
#include <iterator>
#include <random>

#include "kafka/messages/all.h"

namespace kafka {
namespace {

/// Draws the values of fields, as a visitor of `fields`.
class Filler {
  public:
    Filler(uint64_t seed, Version version, bool flexible)
        : random_(seed), version_(version), flexible_(flexible) {}

    template <class T>
    void operator()(std::string_view, T& value, When when = {}) {
        if (when.present.has(version_)) fill(value, when.nullable.has(version_));
    }
    template <class T>
    void tag(uint32_t, std::string_view, T& value, When when,
             const std::type_identity_t<T>& = T{}) {
        if (flexible_ && when.present.has(version_) && draw(3) != 0) fill(value, false);
    }

  private:
    uint64_t draw(uint64_t below) { return random_() % below; }
    [[gnu::noinline]] int64_t number() {
        return draw(4) == 0 ? static_cast<int64_t>(draw(3)) - 1 : static_cast<int64_t>(random_());
    }

    void fill(bool& v, bool) { v = draw(2) != 0; }
    void fill(ErrorCode& v, bool) { v = static_cast<ErrorCode>(random_()); }
    template <std::integral I>
    void fill(I& v, bool) {
        v = static_cast<I>(number());
    }
    [[gnu::noinline]] void fill(std::string& v, bool) {
        static constexpr std::string_view characters[] = {"a", "Z", "\\", "\"", "é", "€", "😀"};
        v.clear();
        for (size_t n = draw(20); n > 0; --n) v += characters[draw(std::size(characters))];
        if (draw(50) == 0) v.append(200, '-');
    }
    void fill(base::Uuid& v, bool) { v = {random_(), random_()}; }
    [[gnu::noinline]] void fill(base::Bytes& v, bool) {
        v.assign(draw(draw(9) == 0 ? 300 : 9), std::byte{0xa5});
    }
    [[gnu::noinline]] void fill(Records& v, bool) {
        static const base::Bytes pool(200, std::byte{0x5a});
        v = Records(base::View(pool).first(draw(pool.size())));
    }
    template <class T>
    void fill(std::optional<T>& v, bool nullable) {
        if (nullable && draw(3) == 0) v.reset();
        else fill(v.emplace(T{}), false);
    }
    template <class T>
    [[gnu::noinline]] void fill(std::vector<T>& v, bool) {
        v.resize(draw(4));
        for (T& element : v) fill(element, false);
    }
    template <class T>
    [[gnu::noinline]] void fill(T& v, bool) {
        T::fields(v, *this);
    }

    std::mt19937_64 random_;
    Version version_;
    bool flexible_;
};

template <class T>
const T& as(const AnyMessage& m) {
    return *static_cast<const T*>(m.get());
}

template <class T>
AnyMessage filled(uint64_t seed, Version version) {
    auto message = std::make_shared<T>();
    Filler filler(seed, version, version >= T::api.flexible);
    T::fields(*message, filler);
    return message;
}

template <class T>
base::Result<AnyMessage> decoded(base::View in, Version version, Budget budget) {
    ASSIGN_OR_RETURN(T message, decode<T>(in, version, budget));
    return std::make_shared<const T>(std::move(message));
}

template <class T>
MessageType type_of(bool is_request) {
    return {
        .name = std::string(T::api.name) + (is_request ? "Request" : "Response"),
        .api = &api_of(T::api.key),
        .is_request = is_request,
        .empty = []() -> AnyMessage { return std::make_shared<const T>(); },
        .filled = filled<T>,
        .decode = decoded<T>,
        .encode = [](const AnyMessage& m, Version v) { return encode(as<T>(m), v); },
        .json = [](const AnyMessage& m, Version v) { return json(as<T>(m), v); },
        .equal = [](const AnyMessage& a, const AnyMessage& b) { return as<T>(a) == as<T>(b); },
    };
}

}  // namespace

const std::vector<MessageType>& message_types() {
    static const auto types = [] {
        std::vector<MessageType> out;
        for_each_message([&]<class T>() { out.push_back(type_of<T>(out.size() % 2 == 0)); });
        return out;
    }();
    return types;
}

}  // namespace kafka
