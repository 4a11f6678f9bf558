#include "io/volatile_bytes.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

namespace io {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Gt;
using testing::Le;
using testing::Lt;
using testing::SizeIs;

std::string text_of(base::View bytes) { return std::string(base::as_text(bytes)); }

std::string image(const VolatileBytes& file, uint64_t seed) {
    Dice dice(seed);
    return text_of(file.after_power_loss(dice));
}

/// Every image of so many seeds.
std::set<std::string> images(const VolatileBytes& file, uint64_t seeds = 400) {
    std::set<std::string> all;
    for (uint64_t seed = 0; seed < seeds; ++seed) all.insert(image(file, seed));
    return all;
}

void append(VolatileBytes& file, const std::string& text) { file.append(base::as_bytes(text)); }

TEST(VolatileBytes, KeepsWhatWasSynced) {
    VolatileBytes file;
    append(file, "one");
    append(file, std::string(5000, 'x'));
    file.sync();
    EXPECT_THAT(images(file), testing::ElementsAre("one" + std::string(5000, 'x')));
}

TEST(VolatileBytes, IsTheSameForTheSameSeed) {
    VolatileBytes file;
    for (int i = 0; i < 50; ++i) append(file, std::string(300, static_cast<char>('a' + i % 26)));
    for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(image(file, seed), image(file, seed));
}

TEST(VolatileBytes, LosesKeepsAndTearsWhatWasNotSynced) {
    VolatileBytes file;
    append(file, std::string(700, 's'));
    file.sync();
    append(file, std::string(10'000, 'a'));
    append(file, std::string(10'000, 'b'));
    auto all = images(file);
    EXPECT_THAT(all, Contains(SizeIs(700)));
    EXPECT_THAT(all, Contains(text_of(file.now())));
    EXPECT_THAT(all, Contains(SizeIs(AllOf(Gt(700), Lt(20'700)))));
    bool hole = false, zero_tail = false, torn_at_512 = false;
    for (const std::string& content : all) {
        ASSERT_EQ(content.substr(0, 700), std::string(700, 's'));
        ASSERT_THAT(content, SizeIs(Le(20'700)));
        for (size_t i = 700; i < content.size(); ++i) {
            char is = static_cast<char>(file.now()[i]);
            ASSERT_TRUE(content[i] == is || content[i] == 0) << i;
            if (i % 512 != 0 || i % 4096 == 0) continue;
            torn_at_512 |= (content[i] == 0) != (content[i - 1] == 0);
        }
        if (content.size() == 700) continue;
        zero_tail |= content.back() == 0;
        hole |= content.back() != 0 && content.find('\0') != std::string::npos;
    }
    EXPECT_TRUE(hole);
    EXPECT_TRUE(zero_tail);
    EXPECT_TRUE(torn_at_512);
}

TEST(VolatileBytes, CutsMayBeLostAndStrayBytesOfTheCutBlockMayShow) {
    VolatileBytes file;
    append(file, std::string(5000, 'o'));
    file.sync();
    file.truncate(4200);
    append(file, std::string(5000, 'n'));
    const std::string old(5000, 'o');
    const std::string now = text_of(file.now());
    auto all = images(file);
    EXPECT_THAT(all, Contains(old));
    EXPECT_THAT(all, Contains(now));
    EXPECT_THAT(all, Contains(SizeIs(4200)));
    bool mixed = false;
    for (const std::string& content : all) {
        ASSERT_EQ(content.substr(0, 4200), old.substr(0, 4200));
        // The block at 4096 is rewritten in place, so the old size may come with new bytes.
        mixed |= content.size() == 5000 && content.substr(4200, 300) == now.substr(4200, 300);
    }
    EXPECT_TRUE(mixed);
}

TEST(VolatileBytes, NeverShowsBytesFromBlocksFreedByACut) {
    VolatileBytes file;
    append(file, std::string(4096 * 4, 'o'));
    file.sync();
    file.truncate(4096);
    append(file, std::string(4096 * 3, 'n'));
    for (const std::string& content : images(file)) {
        std::string tail = content.substr(4096);
        bool old = tail.find('o') != std::string::npos;
        ASSERT_FALSE(old && tail.find('n') != std::string::npos);
        if (!old) continue;
        ASSERT_EQ(content, std::string(4096 * 4, 'o'));
    }
}

TEST(VolatileBytes, ExtendsWithZeros) {
    VolatileBytes file;
    append(file, "ab");
    file.truncate(4);
    file.sync();
    EXPECT_EQ(text_of(file.now()), std::string("ab\0\0", 4));
    EXPECT_EQ(image(file, 1), std::string("ab\0\0", 4));
}

TEST(VolatileBytes, AFailedSyncLosesBlocksThatReadersStillSee) {
    bool lost = false, kept = false;
    for (uint64_t seed = 0; seed < 50; ++seed) {
        VolatileBytes file;
        append(file, std::string(20'000, 'a'));
        Dice dice(seed);
        file.sync_failed(dice);
        append(file, "later");
        file.sync();
        ASSERT_EQ(text_of(file.now()), std::string(20'000, 'a') + "later");
        std::string content = image(file, seed);
        ASSERT_THAT(content, SizeIs(20'005));
        ASSERT_EQ(content.substr(20'000), "later");
        lost |= content.find('\0') != std::string::npos;
        kept |= content.find('a') != std::string::npos;
    }
    EXPECT_TRUE(lost);
    EXPECT_TRUE(kept);
}

TEST(VolatileBytes, ImagesOfRandomSchedulesHoldWhatWasSyncedAndNothingMadeUp) {
    for (uint64_t seed = 0; seed < 300; ++seed) {
        Dice dice(seed);
        VolatileBytes file;
        std::vector<std::string> versions = {""};  // since the last sync
        size_t safe = 0;                           // bytes that no version changed
        for (int step = 0; step < 30; ++step) {
            uint64_t draw = dice.below(10);
            if (draw < 6) {
                append(file, std::string(1 + dice.below(3000), static_cast<char>('a' + step % 26)));
            } else if (draw < 8) {
                file.truncate(dice.below(file.size() + 1));
                safe = std::min(safe, file.size());
            } else {
                file.sync();
                versions.clear();
                safe = file.size();
            }
            versions.push_back(text_of(file.now()));
            std::string content = image(file, seed * 100 + static_cast<uint64_t>(step));
            ASSERT_GE(content.size(), safe);
            ASSERT_EQ(content.substr(0, safe), versions.back().substr(0, safe)) << seed;
            size_t longest = 0;
            for (const auto& version : versions) longest = std::max(longest, version.size());
            ASSERT_LE(content.size(), longest);
            for (size_t i = safe; i < content.size(); ++i) {
                bool known = content[i] == 0 || std::ranges::any_of(versions, [&](const auto& v) {
                                 return i < v.size() && v[i] == content[i];
                             });
                ASSERT_TRUE(known) << "seed " << seed << " step " << step << " byte " << i;
            }
        }
    }
}

TEST(VolatileBytes, FlipsABitSyncedOrNot) {
    VolatileBytes file;
    append(file, "aa");
    file.sync();
    append(file, "aa");
    file.flip_bit(1, 1);
    file.flip_bit(3, 1);
    EXPECT_EQ(text_of(file.now()), "acac");
    file.sync();
    EXPECT_EQ(image(file, 1), "acac");
}

}  // namespace
}  // namespace io
