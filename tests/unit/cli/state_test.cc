// state.dir from the outside: what serve and check say of a directory that can be used, and of one
// that cannot.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StateDir : public testing::Test {
 protected:
  std::string dir() const { return place_.path() + "/state"; }
  std::string Config(const std::string& dir, const std::string& more = "") const {
    return place_.Put("my.yaml",
                      "listen: 127.0.0.1:0\nservers: {}\nstate: {dir: " + dir + more + "}\n");
  }
  void Damage() const {
    std::filesystem::create_directory(dir());
    std::ofstream(dir() + "/ledger.db") << std::string(5000, 'x');
  }

  const Workplace place_;
};

TEST_F(StateDir, IsOneGatewaysUntilThatEndsHoweverItEnds) {
  const std::string config = Config(dir());
  Program first({"serve", "--config", config});
  ASSERT_TRUE(first.SaysErr("listening on"));
  EXPECT_TRUE(std::filesystem::exists(dir() + "/ledger.db"));
  Program second({"serve", "--config", config});
  EXPECT_EQ(second.Wait(), kFailed);
  EXPECT_THAT(second.err(), HasSubstr("state.dir: " + dir() + ": is in use by another gateway"));
  EXPECT_THAT(second.err(), HasSubstr("stop that one, or give each a directory of its own"));
  EXPECT_THAT(second.err(), Not(HasSubstr("--listen"))) << "the address is not what is wrong";
  Program check({"check", config});
  EXPECT_EQ(check.Wait(), kOk) << check.err();
  EXPECT_THAT(check.out(), HasSubstr("state in " + dir()));
  first.Signal(SIGKILL);
  first.Wait();
  Program third({"serve", "--config", config});
  EXPECT_TRUE(third.SaysErr("listening on"));
  third.Signal(SIGTERM);
  EXPECT_EQ(third.Wait(), kOk) << third.err();
}

TEST_F(StateDir, ThatHoldsADamagedLedgerIsRefusedByServeAndCheck) {
  const std::string config = Config(dir());
  Damage();
  const std::string why = dir() +
                          "/ledger.db: file is not a database; put a copy of it back, or "
                          "move it away to begin without it";
  Program serve({"serve", "--config", config});
  EXPECT_EQ(serve.Wait(), kFailed);
  EXPECT_THAT(serve.err(), HasSubstr("state.dir: " + why));
  Program check({"check", config});
  EXPECT_EQ(check.Wait(), kFailed);
  EXPECT_THAT(check.err(), HasSubstr("state.dir: " + why));
  Program json({"check", config, "--json"});
  EXPECT_EQ(json.Wait(), kFailed);
  EXPECT_THAT(json.out(), HasSubstr(R"("ok":false)"));
  EXPECT_THAT(json.out(), HasSubstr(R"("path":"state.dir")"));
}

TEST_F(StateDir, ThatIsAFileIsRefusedByServeAndCheck) {
  std::ofstream(dir()) << "x";
  const std::string config = Config(dir());
  for (const std::string command : {"serve", "check"}) {
    Program program(command == "serve" ? std::vector<std::string>{"serve", "--config", config}
                                       : std::vector<std::string>{"check", config});
    EXPECT_EQ(program.Wait(), kFailed) << command;
    EXPECT_THAT(program.err(), HasSubstr("state.dir: " + dir() + ": ")) << command;
  }
}

TEST_F(StateDir, StaysThroughAReload) {
  Program serve({"serve", "--config", Config(dir())});
  ASSERT_TRUE(serve.SaysErr("listening on"));
  Config(place_.path() + "/other", ", max_keys: 2000");
  EXPECT_TRUE(serve.SaysErr("state.dir changes only with a restart"));
  EXPECT_TRUE(serve.SaysErr("state.max_keys changes only with a restart"));
  EXPECT_TRUE(serve.SaysErr("reloaded"));
  EXPECT_FALSE(std::filesystem::exists(place_.path() + "/other"));
}

}  // namespace
}  // namespace switchyard::cli
