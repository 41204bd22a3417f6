// A gateway of a command's own, of a configuration that nobody serves.
#include "cli/reach.h"

#include <string>

#include <gtest/gtest.h>

#include "cli/exit.h"
#include "support/paths.h"
#include "support/token_issuer.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

class OwnGateway : public ::testing::Test {
 protected:
  // By the program itself: whoever runs servers runs its own binary as their guardian.
  Program Tools(const std::string& audience) {
    const std::string token = issuer_.Token("ada", {{"aud", '"' + audience + '"'}});
    return Program({"tools", "--config", config_, "--token", token, "--json"});
  }

  tests::TokenIssuer issuer_;
  const Workplace place_;
  const std::string config_ =
      place_.Put("my.yaml",
                 "listen: {address: 127.0.0.1:0, public_url: 'https://gateway.example'}\n"
                 "servers: {a: {command: '" +
                     paths::FakeStdioServer() + "', args: [--name, a]}}\nauth: {issuers: [" +
                     issuer_.Config() + "]}\n");
};

TEST_F(OwnGateway, TakesTheTokensThatAreForItsPublicUrl) {
  Program mine = Tools("https://gateway.example/mcp");
  EXPECT_EQ(mine.Wait(), kOk) << mine.err() << mine.out();
  Program others = Tools("https://elsewhere.example/mcp");
  EXPECT_EQ(others.Wait(), kFailed);
}

TEST_F(OwnGateway, ACallWaitsForTheServerOfItsToolAlone) {
  const std::string config = place_.Put(
      "slow.yaml", "listen: 127.0.0.1:0\nservers:\n  a: {command: '" + paths::FakeStdioServer() +
                       "', args: [--name, a]}\n"
                       "  slow: {command: sleep, args: ['600'], start_timeout: 10m}\n");
  Program call({"call", "a__echo", R"({"text":"here"})", "--config", config});
  EXPECT_EQ(call.Wait(), kOk) << call.err();
  EXPECT_NE(call.out().find("here"), std::string::npos) << call.out();
}

TEST_F(OwnGateway, CheckLooksAtWhereTheAuditLogIsToBe) {
  const std::string missing = place_.path() + "/none/audit.jsonl";
  const std::string config =
      place_.Put("audit.yaml", "servers: {}\naudit: {path: " + missing + "}\n");
  Program check({"check", config});
  EXPECT_EQ(check.Wait(), kFailed);
  EXPECT_NE(check.err().find("audit.path: " + missing + ": there is no directory"),
            std::string::npos)
      << check.err();
}

}  // namespace
}  // namespace switchyard::cli
