// What every Store must do alike, run on the one on disk and the one in memory.
#include "storage/store/store.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "storage/store/memory_store.h"
#include "storage/store/rocks_store.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Durability = Store::Durability;

enum class Kind { rocks, memory };

class StoreTest : public testing::TestWithParam<Kind> {
  protected:
    StoreTest()
        : directory_(std::filesystem::temp_directory_path() /
                     ("moldau.store." + std::to_string(::getpid())) / "nested") {
        if (GetParam() == Kind::memory) {
            store_ = std::make_unique<MemoryStore>();
            return;
        }
        auto opened = open_rocks_store(directory_);
        EXPECT_TRUE(opened.ok()) << opened.status();
        store_ = *std::move(opened);
    }
    ~StoreTest() override {
        store_.reset();
        std::filesystem::remove_all(std::filesystem::path(directory_).parent_path());
    }

    std::vector<std::pair<std::string, std::string>> rows(std::string_view prefix,
                                                          size_t most = 100) const {
        std::vector<std::pair<std::string, std::string>> rows;
        EXPECT_TRUE(store_
                        ->scan(prefix,
                               [&](std::string_view key, std::string_view value) {
                                   rows.emplace_back(key, value);
                                   return rows.size() < most;
                               })
                        .ok());
        return rows;
    }

    std::string directory_;
    std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, PutsGetsAndRemoves) {
    WriteBatch batch;
    EXPECT_TRUE(batch.empty());
    batch.put("a", "1");
    batch.put("b", std::string("2\0z", 3));
    batch.put("empty", "");
    EXPECT_FALSE(batch.empty());
    ASSERT_TRUE(store_->write(batch, Durability::buffered).ok());
    EXPECT_EQ(**store_->get("a"), "1");
    EXPECT_EQ(**store_->get("b"), std::string("2\0z", 3));
    EXPECT_EQ(**store_->get("empty"), "");
    EXPECT_EQ(*store_->get("none"), std::nullopt);
    WriteBatch next;
    next.remove("a");
    next.remove("never there");
    next.put("b", "3");
    ASSERT_TRUE(store_->write(next, Durability::synced).ok());
    EXPECT_EQ(*store_->get("a"), std::nullopt);
    EXPECT_EQ(**store_->get("b"), "3");
    EXPECT_TRUE(store_->write(WriteBatch(), Durability::synced).ok());
}

TEST_P(StoreTest, AppliesABatchInItsOrder) {
    WriteBatch batch;
    batch.put("k", "1");
    batch.remove("k");
    batch.put("k", "2");
    batch.put("gone", "1");
    batch.remove("gone");
    ASSERT_TRUE(store_->write(batch, Durability::synced).ok());
    EXPECT_THAT(rows(""), ElementsAre(Pair("k", "2")));
}

TEST_P(StoreTest, ScansAPrefixInByteOrder) {
    WriteBatch batch;
    for (const char* key : {"p/2", "p/10", "p/\xff", "p", "o", "q", "p/1"}) batch.put(key, key);
    ASSERT_TRUE(store_->write(batch, Durability::buffered).ok());
    EXPECT_THAT(rows("p/"), ElementsAre(Pair("p/1", "p/1"), Pair("p/10", "p/10"),
                                        Pair("p/2", "p/2"), Pair("p/\xff", "p/\xff")));
    EXPECT_THAT(rows("p/", 2), ElementsAre(Pair("p/1", "p/1"), Pair("p/10", "p/10")));
    EXPECT_THAT(rows("x"), IsEmpty());
    EXPECT_EQ(rows("").size(), 7);
}

TEST_P(StoreTest, MayBeCalledFromAScan) {
    WriteBatch batch;
    batch.put("a", "1");
    batch.put("b", "2");
    ASSERT_TRUE(store_->write(batch, Durability::buffered).ok());
    auto status = store_->scan("", [&](std::string_view key, std::string_view) {
        WriteBatch removal;
        removal.remove(std::string(key));
        return store_->write(removal, Durability::buffered).ok();
    });
    EXPECT_TRUE(status.ok());
    EXPECT_THAT(rows(""), IsEmpty());
}

TEST_P(StoreTest, IsSafeFromSeveralThreads) {
    auto writer = [&](const std::string& name) {
        for (int i = 0; i < 200; ++i) {
            WriteBatch batch;
            batch.put(name + "/1", std::to_string(i));
            batch.put(name + "/2", std::to_string(i));
            EXPECT_TRUE(store_->write(batch, Durability::buffered).ok());
        }
    };
    std::thread first(writer, "a"), second(writer, "b");
    for (int i = 0; i < 100; ++i) {
        auto both = rows("a/");
        if (both.empty()) continue;
        EXPECT_EQ(both.front().second, both.back().second);
    }
    first.join();
    second.join();
    EXPECT_THAT(rows("b/"), ElementsAre(Pair("b/1", "199"), Pair("b/2", "199")));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::Values(Kind::rocks, Kind::memory),
                         [](const auto& info) {
                             return info.param == Kind::rocks ? "Rocks" : "Memory";
                         });

}  // namespace
}  // namespace storage
