// Every version of every message, filled from a seed.
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <regex>
#include <string>

#include "kafka/messages/all.h"

namespace kafka {
namespace {

/// Gives each field of a version a random value; null and the default come up often.
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

    void fill(bool& v, bool) { v = draw(2) != 0; }
    void fill(ErrorCode& v, bool) { v = static_cast<ErrorCode>(random_()); }
    template <std::integral I>
    void fill(I& v, bool) {
        v = draw(4) == 0 ? static_cast<I>(draw(3) - 1) : static_cast<I>(random_());
    }
    void fill(std::string& v, bool) {
        static constexpr std::string_view characters[] = {"a", "Z", "\\", "\"", "é", "€", "😀"};
        v.clear();
        for (size_t n = draw(20); n > 0; --n) v += characters[draw(std::size(characters))];
        if (draw(50) == 0) v.append(200, '-');
    }
    void fill(base::Uuid& v, bool) { v = {random_(), random_()}; }
    void fill(base::Bytes& v, bool) { v.assign(draw(draw(9) == 0 ? 300 : 9), std::byte{0xa5}); }
    void fill(Records& v, bool) { v = Records(base::View(pool).first(draw(pool.size()))); }
    template <class T>
    void fill(std::optional<T>& v, bool nullable) {
        if (nullable && draw(3) == 0) v.reset();
        else fill(v.emplace(), false);
    }
    template <class T>
    void fill(std::vector<T>& v, bool) {
        v.resize(draw(4));
        for (T& element : v) fill(element, false);
    }
    template <class T>
    void fill(T& v, bool) {
        T::fields(v, *this);
    }

    static inline const base::Bytes pool = base::Bytes(200, std::byte{0x5a});
    std::mt19937_64 random_;
    Version version_;
    bool flexible_;
};

template <class T>
T filled(uint64_t seed, Version version) {
    T message;
    Filler filler(seed, version, version >= T::api.flexible);
    T::fields(message, filler);
    return message;
}

/// Calls check<T>(version) for every message and version that is served.
template <class F>
void for_each_version(F check) {
    for_each_message([&]<class T>() {
        for (Version v = T::api.versions.from; v <= T::api.versions.to; ++v) {
            SCOPED_TRACE(std::string(T::api.name) + " version " + std::to_string(v));
            check.template operator()<T>(v);
            if (::testing::Test::HasFailure()) return;
        }
    });
}

constexpr uint64_t seeds = 20;

TEST(RoundTrip, EveryVersionOfEveryMessageComesBackEqual) {
    for_each_version([]<class T>(Version v) {
        for (uint64_t seed = 0; seed < seeds; ++seed) {
            const T message = filled<T>(seed, v);
            const Encoded out = encode(message, v);
            const auto read = decode<T>(out.bytes, v, Budget{});
            ASSERT_TRUE(read.ok()) << read.status() << "\nseed " << seed << ' ' << json(message, v);
            ASSERT_TRUE(*read == message) << json(message, v) << '\n' << json(*read, v);
            ASSERT_EQ(json(*read, v), json(message, v));
            ASSERT_EQ(encode(*read, v).bytes, out.bytes);
        }
    });
}

TEST(RoundTrip, EveryTruncatedPrefixIsRefusedWithItsPath) {
    const std::regex refusal(R"(([a-z_0-9]+(\[\d+\])?(\.[a-z_0-9]+(\[\d+\])?)*: )?truncated.*)");
    for_each_version([&]<class T>(Version v) {
        for (uint64_t seed = 0; seed < 3; ++seed) {
            const Encoded out = encode(filled<T>(seed, v), v);
            for (size_t n = 0; n < out.bytes.size(); ++n) {
                const auto read = decode<T>(base::View(out.bytes).first(n), v, Budget{});
                ASSERT_FALSE(read.ok()) << "seed " << seed << ", first " << n;
                const std::string why = base::message(read.status());
                ASSERT_TRUE(std::regex_match(why, refusal)) << why;
            }
        }
    });
}

TEST(RoundTrip, TrailingBytesAreRefused) {
    for_each_version([]<class T>(Version v) {
        Encoded out = encode(filled<T>(1, v), v);
        out.bytes.push_back({});
        const auto read = decode<T>(out.bytes, v, Budget{});
        ASSERT_FALSE(read.ok());
        ASSERT_EQ(base::message(read.status()), "1 trailing bytes");
    });
}

TEST(RoundTrip, VersionsOutsideTheTableAreRefused) {
    for_each_message([]<class T>() {
        for (const int v : {T::api.versions.from - 1, T::api.versions.to + 1})
            EXPECT_FALSE(decode<T>({}, static_cast<Version>(v)).ok()) << T::api.name << v;
    });
}

TEST(RoundTrip, DefaultsOfEveryVersionComeBackEqual) {
    for_each_version([]<class T>(Version v) {
        const Encoded out = encode(T{}, v);
        const auto read = decode<T>(out.bytes, v);
        ASSERT_TRUE(read.ok()) << read.status();
        ASSERT_EQ(encode(*read, v).bytes, out.bytes);
    });
}

TEST(RoundTrip, DamagedBytesNeverBringItDown) {
    for_each_version([]<class T>(Version v) {
        std::mt19937_64 random(static_cast<uint64_t>(v));
        for (uint64_t seed = 0; seed < 5; ++seed) {
            const Encoded out = encode(filled<T>(seed, v), v);
            for (int i = 0; i < 50; ++i) {
                base::Bytes damaged = out.bytes;
                if (damaged.empty()) continue;
                damaged[random() % damaged.size()] = static_cast<std::byte>(random());
                const auto read = decode<T>(damaged, v);
                if (!read.ok()) continue;
                const auto again = decode<T>(encode(*read, v).bytes, v, Budget{});
                ASSERT_TRUE(again.ok()) << again.status();
                ASSERT_TRUE(*again == *read) << json(*read, v);
            }
        }
    });
}

}  // namespace
}  // namespace kafka
