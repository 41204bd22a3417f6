// Budgets of the real program over its ends: they go on where they were, after kill -9 as well.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "store/sqlite.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;

class BudgetLedger : public testing::Test {
 protected:
  BudgetLedger() {
    config_ = place_.Put("my.yaml", R"(listen: 127.0.0.1:0
servers:
  example: {command: switchyard, args: [example-server]}
policies:
  budget: {budgets: {hour: {calls: 3, window: 1h}}}
state: {dir: )" + place_.path() + "/state}\n");
  }

  // Serves on; gives the gateway's URL.
  static std::string UrlOf(Program& serve) {
    EXPECT_TRUE(serve.SaysErr("listening on"));
    const std::size_t begin = serve.err().find("http://127.0.0.1:");
    return serve.err().substr(begin, serve.err().find_first_of(" \n", begin) - begin);
  }
  // Whether the call passes. The server may still be on its way up.
  static bool Calls(const std::string& url) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      Program call({"call", "example__echo", R"({"message":"hi"})", "--url", url});
      const int exit = call.Wait();
      const std::string said = call.out() + call.err();
      if (exit == kOk) return true;
      if (said.contains("budget hour")) return false;
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << said;
        return false;
      }
    }
  }
  // Until the file says that two calls were counted: it is written behind their backs.
  void UntilTwoAreSaved() const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      auto database = store::sqlite::Database::Open(place_.path() + "/state/ledger.db",
                                                    {.patience = std::chrono::seconds(1)});
      if (database->Number("SELECT count(*) FROM counter WHERE slices IN ('2', '1 1')") == 1) {
        return;
      }
    }
    ADD_FAILURE() << "never saved";
  }

  const Workplace place_;
  std::string config_;
};

TEST_F(BudgetLedger, GoOnWhereTheyWereAfterKillMinusNineAndAfterATerm) {
  {
    Program first({"serve", "--config", config_});
    const std::string url = UrlOf(first);
    EXPECT_TRUE(Calls(url));
    EXPECT_TRUE(Calls(url));
    UntilTwoAreSaved();
    first.Signal(SIGKILL);
    first.Wait();
  }
  {
    Program next({"serve", "--config", config_});
    const std::string url = UrlOf(next);
    EXPECT_TRUE(Calls(url));
    next.Signal(SIGTERM);
    EXPECT_EQ(next.Wait(), kOk) << next.err();
  }
  Program last({"serve", "--config", config_});
  EXPECT_FALSE(Calls(UrlOf(last))) << "three are all of it";
}

}  // namespace
}  // namespace switchyard::cli
