#include "controller/quorum/rows.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace quorum::rows {
namespace {

TEST(Rows, AStateIsAsTheDocumentSays) {
    // The example in docs/storage-format.md.
    const std::string row = absl::HexStringToBytes(
        "786beb3a000000000000000501000000010123456789abcdeffedcba9876543210"
        "000000000000000e0000000000000005");
    const auto state = State::decode(row);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->hard.term, 5);
    EXPECT_EQ(state->hard.vote, (raft::Member{1, {0x0123456789abcdef, 0xfedcba9876543210}}));
    EXPECT_EQ(state->last, (raft::Position{14, 5}));
    EXPECT_EQ(state->encode(), row);
}

}  // namespace
}  // namespace quorum::rows
