#include "store/state_directory.h"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/ledger_file.h"
#include "unit/store/ledger_support.h"

namespace switchyard::store {
namespace {

using ::testing::HasSubstr;

TEST(StateDirectory, IsMadeForThisUserAlone) {
  const Place place;
  const std::string path = place.path() + "/var/lib/switchyard";
  ASSERT_TRUE(StateDirectory::Inspect(path).has_value());
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "looking makes nothing";
  const Result<StateDirectory> taken = StateDirectory::Take(path);
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  struct stat found{};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  EXPECT_EQ(taken->PathOf("x"), path + "/x");
}

TEST(StateDirectory, IsMadeForThisUserAloneWhateverItsNameEndsWith) {
  const Place place;
  const mode_t before = umask(0);
  const std::string path = place.path() + "/state";
  const Result<StateDirectory> taken = StateDirectory::Take(path + "//");
  const Result<LedgerFile> ledger = LedgerFile::Open(path + "/ledger.db");
  umask(before);
  ASSERT_TRUE(taken.has_value() && ledger.has_value());
  EXPECT_EQ(taken->PathOf("x"), path + "/x");
  const auto mode = [](const std::string& name) {
    struct stat found{};
    return stat(name.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
  };
  EXPECT_EQ(mode(path), 0700U);
  EXPECT_EQ(mode(path + "/ledger.db"), 0600U);
  EXPECT_EQ(mode(path + "/ledger.db-wal"), 0600U);
}

TEST(StateDirectory, IsOneGatewaysAtATime) {
  const Place place;
  {
    const Result<StateDirectory> first = StateDirectory::Take(place.path());
    ASSERT_TRUE(first.has_value());
    const Result<StateDirectory> second = StateDirectory::Take(place.path());
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().message, "state.dir: " + place.path() +
                                          ": is in use by another gateway, process " +
                                          std::to_string(getpid()) +
                                          "; stop that one, or give each a directory of its own");
    EXPECT_TRUE(StateDirectory::Inspect(place.path()).has_value());
  }
  EXPECT_TRUE(StateDirectory::Take(place.path()).has_value());
}

TEST(StateDirectory, ThatIsAFileIsRefused) {
  const Place place;
  const std::string path = place.path() + "/file";
  std::ofstream(path) << "x";
  for (const std::string& wrong : {path, path + "/below"}) {
    const Result<StateDirectory> taken = StateDirectory::Take(wrong);
    ASSERT_FALSE(taken.has_value()) << wrong;
    EXPECT_THAT(taken.error().message, HasSubstr("state.dir: " + wrong + ": "));
    EXPECT_FALSE(StateDirectory::Inspect(wrong).has_value()) << wrong;
  }
}

TEST(StateDirectory, ThatCannotBeWrittenIsRefused) {
  // /proc can be written by nobody, whoever runs this.
  const Result<StateDirectory> taken = StateDirectory::Take("/proc/self/fdinfo");
  ASSERT_FALSE(taken.has_value());
  EXPECT_THAT(taken.error().message, HasSubstr("name a directory that this user can write to"));
}

}  // namespace
}  // namespace switchyard::store
