#include "metadata/persistent_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>

namespace metadata {
namespace {

using Map = PersistentMap<std::string, int>;

std::map<std::string, int> content(const Map& m) {
    std::map<std::string, int> out;
    std::string last;
    for (const auto& [key, value] : m) {
        EXPECT_TRUE(out.empty() || last < key) << "iterates in order";
        out[key] = value;
        last = key;
    }
    EXPECT_EQ(out.size(), m.size());
    return out;
}

TEST(PersistentMap, AgreesWithStdMapAndLeavesCopiesAlone) {
    std::mt19937 random(1);
    Map map;
    std::map<std::string, int> model;
    std::vector<std::pair<Map, std::map<std::string, int>>> kept;
    for (int step = 0; step < 5000; ++step) {
        std::string key = "k" + std::to_string(random() % 300);
        if (random() % 3 == 0) {
            map.erase(key);
            model.erase(key);
        } else {
            map.put(key, step);
            model[key] = step;
        }
        if (step % 500 == 0) kept.emplace_back(map, model);
        auto* found = map.find(key);
        ASSERT_EQ(found != nullptr, model.contains(key));
        if (found) {
            ASSERT_EQ(*found, model[key]);
        }
    }
    EXPECT_EQ(content(map), model);
    for (const auto& [old, as_it_was] : kept) EXPECT_EQ(content(old), as_it_was);
}

/// Counts how often it is compared, so that a map's depth can be told.
struct Counted {
    int value = 0;
    static inline int comparisons = 0;

    bool operator<(const Counted& other) const {
        ++comparisons;
        return value < other.value;
    }
};

TEST(PersistentMap, ManyAtOnceAgreeWithOneByOneAndStayShallow) {
    std::mt19937 random(1);
    for (int round = 0; round < 100; ++round) {
        PersistentMap<Counted, int> map;
        std::map<int, int> model;
        const auto spread = 1 + random() % 1000;
        for (int step = 0; step < 20; ++step) {
            const auto before = map;
            const auto size = map.size();
            const int from = static_cast<int>(random() % 1000);  // near each other
            std::map<int, int> more;
            for (auto n = random() % 200; n > 0; --n)
                more[from + static_cast<int>(random() % spread)] = step;
            std::vector<PersistentMap<Counted, int>::Entry> sorted;
            for (auto [key, value] : more) sorted.push_back({{key}, value});
            map.put_all(std::move(sorted));
            for (auto [key, value] : more) model[key] = value;
            if (step % 5 == 4) {
                map.erase(Counted{from});
                model.erase(from);
            }
            ASSERT_EQ(before.size(), size);
        }
        ASSERT_EQ(map.size(), model.size());
        auto expected = model.begin();
        for (const auto& [key, value] : map) {
            ASSERT_EQ(key.value, expected->first);
            ASSERT_EQ(value, (expected++)->second);
        }
        int depth = 0;
        for (auto [key, value] : model) {
            Counted::comparisons = 0;
            ASSERT_NE(map.find(Counted{key}), nullptr);
            depth = std::max(depth, (Counted::comparisons + 1) / 2);
        }
        // An AVL tree of this depth has more entries than this.
        EXPECT_LE(depth, 1.45 * std::log2(static_cast<double>(model.size()) + 2));
    }
}

TEST(PersistentMap, LowerBoundStartsWhereStdMapDoes) {
    Map map;
    std::map<std::string, int> model;
    for (int i = 0; i < 200; i += 2) {
        map.put(std::to_string(i), i);
        model[std::to_string(i)] = i;
    }
    for (int i = 0; i < 201; ++i) {
        auto expected = model.lower_bound(std::to_string(i));
        auto it = map.lower_bound(std::string_view(std::to_string(i)));
        for (; expected != model.end(); ++expected, ++it) {
            ASSERT_FALSE(it == map.end());
            ASSERT_EQ(it->key, expected->first);
        }
        ASSERT_TRUE(it == map.end());
    }
}

TEST(PersistentMap, StaysShallowWhenFilledInOrder) {
    PersistentMap<int, int> map;
    for (int i = 0; i < 100'000; ++i) map.put(i, i);
    EXPECT_EQ(map.size(), 100'000u);
    int expected = 0;
    for (const auto& [key, value] : map) ASSERT_EQ(key, expected++);
    for (int i = 0; i < 100'000; i += 2) map.erase(i);
    EXPECT_EQ(map.size(), 50'000u);
    EXPECT_EQ(map.find(2), nullptr);
    EXPECT_EQ(*map.find(3), 3);
}

}  // namespace
}  // namespace metadata
