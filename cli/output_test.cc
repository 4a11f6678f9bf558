#include "cli/output.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Table, AlignsColumnsByCharactersNotBytes) {
    Table table({"NAME", "N"});
    table.add({"Vltava", "1"});
    table.add({"Labe-Český", "22"});
    EXPECT_EQ(table.text(false),
              "NAME        N\n"
              "Vltava      1\n"
              "Labe-Český  22\n");
}

TEST(Table, WithoutRowsIsItsHead) { EXPECT_EQ(Table({"A", "B"}).text(false), "A  B\n"); }

TEST(Bytes, AreReadable) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(12 << 20), "12 MiB");
    EXPECT_EQ(bytes_text(int64_t{3} << 50), "3072 TiB");
}

TEST(Ids, AreJoined) {
    EXPECT_EQ(joined({}), "");
    EXPECT_EQ(joined({1, 2, 0}), "1,2,0");
}

TEST(Output, CountsAreWrittenAsOneSaysThem) {
    EXPECT_EQ(counted(0, "message"), "0 messages");
    EXPECT_EQ(counted(1, "message"), "1 message");
    EXPECT_EQ(counted(2, "broker"), "2 brokers");
}

}  // namespace
}  // namespace cli
