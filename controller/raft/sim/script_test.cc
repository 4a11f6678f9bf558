#include "controller/raft/sim/script.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

namespace raft::sim {
namespace {

std::vector<std::string> scripts() {
    std::vector<std::string> out;
    for (const auto& file : std::filesystem::directory_iterator(MOLDAU_RAFT_SCRIPTS))
        if (file.path().extension() == ".txt") out.push_back(file.path().stem().string());
    std::sort(out.begin(), out.end());
    return out;
}

class RaftScript : public testing::TestWithParam<std::string> {};

TEST_P(RaftScript, GoesAsExpected) {
    const auto what = run_script(std::string(MOLDAU_RAFT_SCRIPTS) + GetParam() + ".txt");
    EXPECT_FALSE(what) << GetParam() << ".txt, " << *what;
}

INSTANTIATE_TEST_SUITE_P(Named, RaftScript, testing::ValuesIn(scripts()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace raft::sim
