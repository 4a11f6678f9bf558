#include "cli/local/faults.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cli::local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FaultsTest : public testing::Test {
  protected:
    FaultsTest()
        : path_((std::filesystem::temp_directory_path() /
                 ("moldau_faults_test_" + std::to_string(getpid())))
                    .string()) {
        std::filesystem::create_directories(path_);
    }
    ~FaultsTest() override { std::filesystem::remove_all(path_); }

    std::string text() const {
        std::ifstream in(path_ + "/faults");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string path_;
};

TEST_F(FaultsTest, PairsAreCutAndHealed) {
    const Faults faults(path_);
    EXPECT_THAT(faults.read(), IsEmpty());
    EXPECT_TRUE(*faults.cut(Cut::between(2, 0)));
    EXPECT_TRUE(*faults.cut(Cut::between(0, 1)));
    EXPECT_FALSE(*faults.cut(Cut::between(0, 2))) << "it is cut already";
    EXPECT_EQ(text(), "0 1\n0 2\n");
    EXPECT_TRUE(*faults.heal(Cut::between(1, 0)));
    EXPECT_FALSE(*faults.heal(Cut::between(1, 0)));
    EXPECT_THAT(faults.read(), ElementsAre(Cut{0, 2}));
    EXPECT_TRUE(faults.heal_all().ok());
    EXPECT_EQ(text(), "");
    EXPECT_THAT(faults.read(), IsEmpty());
}

TEST_F(FaultsTest, NothingIsMadeToHealNothing) {
    EXPECT_TRUE(Faults(path_).heal_all().ok());
    EXPECT_FALSE(std::filesystem::exists(path_ + "/faults"));
}

TEST_F(FaultsTest, OnlyPairsAreReadFromAnEditedFile) {
    std::ofstream(path_ + "/faults") << "1 0\n\nx\n3\n2 2\n-1 2\n0 1\n5 6 7\n 4   3 \n9 8";
    EXPECT_THAT(Faults(path_).read(), ElementsAre(Cut{0, 1}, Cut{3, 4}, Cut{8, 9}));
}

TEST_F(FaultsTest, ADirectoryThatIsNotThereIsAnError) {
    EXPECT_FALSE(Faults(path_ + "/none").cut({0, 1}).ok());
}

TEST(Cut, HasTwoEnds) {
    const Cut cut = Cut::between(7, 3);
    EXPECT_EQ(cut, (Cut{3, 7}));
    EXPECT_TRUE(cut.of(7));
    EXPECT_FALSE(cut.of(0));
    EXPECT_EQ(cut.other(3), 7);
    EXPECT_EQ(cut.other(7), 3);
}

}  // namespace
}  // namespace cli::local
