// Every version of every message, filled from a seed.
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <regex>
#include <string>

#include "kafka/testing/any_message.h"

namespace kafka {
namespace {

/// Calls check(type, version) for every known version of every message.
template <class F>
void for_each_version(F check) {
    for (const MessageType& type : message_types())
        for (Version v = type.api->versions.from; v <= type.api->versions.to; ++v) {
            SCOPED_TRACE(type.name + " version " + std::to_string(v));
            check(type, v);
            if (::testing::Test::HasFailure()) return;
        }
}

std::string refusal(const MessageType& type, base::View in, Version v) {
    const auto read = type.decode(in, v, Budget{});
    return read.ok() ? "" : base::message(read.status());
}

constexpr uint64_t seeds = 20;

TEST(RoundTrip, EveryVersionOfEveryMessageComesBackEqual) {
    for_each_version([](const MessageType& type, Version v) {
        for (uint64_t seed = 0; seed < seeds; ++seed) {
            const AnyMessage message = type.filled(seed, v);
            const Encoded out = type.encode(message, v);
            const auto read = type.decode(out.bytes, v, Budget{});
            ASSERT_TRUE(read.ok()) << read.status() << " seed " << seed << type.json(message, v);
            ASSERT_EQ(type.json(*read, v), type.json(message, v));
            ASSERT_TRUE(type.equal(*read, message)) << type.json(message, v);
            ASSERT_EQ(type.encode(*read, v).bytes, out.bytes);
        }
    });
}

TEST(RoundTrip, EveryTruncatedPrefixIsRefusedWithItsPath) {
    const std::regex expected(R"(([a-z_0-9]+(\[\d+\])?(\.[a-z_0-9]+(\[\d+\])?)*: )?truncated.*)");
    for_each_version([&](const MessageType& type, Version v) {
        for (uint64_t seed = 0; seed < 3; ++seed) {
            const Encoded out = type.encode(type.filled(seed, v), v);
            for (size_t n = 0; n < out.bytes.size(); ++n) {
                const std::string why = refusal(type, base::View(out.bytes).first(n), v);
                ASSERT_TRUE(std::regex_match(why, expected)) << "first " << n << ": " << why;
            }
        }
    });
}

TEST(RoundTrip, TrailingBytesAreRefused) {
    for_each_version([](const MessageType& type, Version v) {
        Encoded out = type.encode(type.filled(1, v), v);
        out.bytes.push_back({});
        ASSERT_EQ(refusal(type, out.bytes, v), "1 trailing bytes");
    });
}

TEST(RoundTrip, VersionsOutsideTheTableAreRefused) {
    for (const MessageType& type : message_types())
        for (const int v : {type.api->versions.from - 1, type.api->versions.to + 1})
            EXPECT_EQ(refusal(type, {}, static_cast<Version>(v)),
                      "version " + std::to_string(v) + " is not supported");
}

TEST(RoundTrip, DefaultsOfEveryVersionComeBackAlike) {
    for_each_version([](const MessageType& type, Version v) {
        const Encoded out = type.encode(type.empty(), v);
        const auto read = type.decode(out.bytes, v, Budget{});
        ASSERT_TRUE(read.ok()) << read.status();
        ASSERT_EQ(type.encode(*read, v).bytes, out.bytes);
    });
}

TEST(RoundTrip, WhatDamagedBytesSayIsWrittenAsItWasRead) {
    for_each_version([](const MessageType& type, Version v) {
        std::mt19937_64 random(static_cast<uint64_t>(v));
        for (uint64_t seed = 0; seed < 5; ++seed) {
            const Encoded out = type.encode(type.filled(seed, v), v);
            for (int i = 0; i < 50 && !out.bytes.empty(); ++i) {
                base::Bytes damaged = out.bytes;
                damaged[random() % damaged.size()] = static_cast<std::byte>(random());
                const auto read = type.decode(damaged, v, Budget{});
                if (!read.ok()) continue;
                const Encoded written = type.encode(*read, v);
                const auto again = type.decode(written.bytes, v, Budget{});
                ASSERT_TRUE(again.ok()) << again.status();
                ASSERT_TRUE(type.equal(*again, *read)) << type.json(*read, v);
            }
        }
    });
}

}  // namespace
}  // namespace kafka
