#include "kafka/errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kafka {
namespace {

TEST(Errors, NamesStandAtTheirCodes) {
    EXPECT_EQ(name(ErrorCode::unknown_server_error), "UNKNOWN_SERVER_ERROR");
    EXPECT_EQ(name(ErrorCode::none), "NONE");
    EXPECT_EQ(name(ErrorCode::unknown_topic_or_partition), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_EQ(name(ErrorCode::unsupported_version), "UNSUPPORTED_VERSION");
    EXPECT_EQ(name(ErrorCode::member_id_required), "MEMBER_ID_REQUIRED");
    EXPECT_EQ(name(ErrorCode::invalid_regular_expression), "INVALID_REGULAR_EXPRESSION");
    EXPECT_EQ(name(ErrorCode::controller_id_not_registered), "CONTROLLER_ID_NOT_REGISTERED");
}

TEST(Errors, CodesWithoutANameHaveOneForAll) {
    for (const int code : {-32768, -2, 137, 32767})
        EXPECT_EQ(name(static_cast<ErrorCode>(code)), "UNKNOWN_CODE") << code;
}

TEST(Errors, RetriableAreThoseThatClientsRetry) {
    const std::vector<int> expected = {2,  3,  5,  6,  7,   9,   13,  14,  15,  16, 19,
                                       20, 41, 51, 56, 70,  71,  72,  74,  75,  78, 80,
                                       83, 84, 88, 89, 100, 103, 106, 122, 123, 133};
    std::vector<int> found;
    for (int code = -1; code <= 136; ++code)
        if (retriable(static_cast<ErrorCode>(code))) found.push_back(code);
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace kafka
