// `switchyard check --as`: what rules say of a call, from the file alone.
#include "cli/check_as.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kConfig = R"(servers:
  files: {command: x}
policies:
  authorize:
    rules:
      - {name: devs, effect: allow, who: {role: dev}, what: {tool: "write_*"},
         when: {arguments: [{at: /path, glob: "/srv/*"}]}}
      - {effect: deny, who: {group: guests}}
)";

class CheckAs : public ::testing::Test {
 protected:
  int Run(const std::string& caller, const std::string& arguments,
          const std::string& tool = "files__write_file", bool json = false,
          const std::string& endpoint = "") {
    out_.str("");
    err_.str("");
    const config::ProcessEnvironment environment;
    return RunCheckAs({.file = file_,
                       .caller = caller,
                       .tool = tool,
                       .arguments = arguments,
                       .endpoint = endpoint,
                       .capabilities = capabilities_,
                       .json = json},
                      environment, clock_, out_, err_);
  }

  Workplace place_;
  std::string file_ = place_.Put("my.yaml", kConfig);
  std::vector<std::string> capabilities_;
  const ManualClock clock_;
  std::ostringstream out_, err_;
};

TEST_F(CheckAs, SaysThatAnExternalDecisionWasNotAsked) {
  file_ = place_.Put("opa.yaml",
                     "servers:\n  files: {command: x}\n"
                     "policies:\n  opa: {url: 'http://127.0.0.1:8181/v1/data/a'}\n");
  EXPECT_EQ(Run("ada", "{}"), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("opa, which was not asked here, may deny it"));
  EXPECT_EQ(Run("ada", "{}", "files__write_file", true), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\"opa\":\"not asked\""));
}

TEST_F(CheckAs, SaysOfEachRuleWhyItHoldsOrNot) {
  EXPECT_EQ(Run("{subject: ada, roles: [dev]}", R"({"path":"/srv/a"})"), kOk);
  EXPECT_EQ(out_.str(),
            "tool write_file of server files\n"
            "  allow devs: holds\n"
            "  deny policies.authorize.rules[1]: the caller is not group \"guests\"\n"
            "allowed: rule devs allows it and none denies it\n");
  EXPECT_EQ(Run("{subject: ada, roles: [dev]}", R"({"path":"/etc/a"})"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("  allow devs: not so: /path is like \"/srv/*\"\n"));
  EXPECT_THAT(out_.str(), HasSubstr("denied: rules allow it on other arguments\n"));
}

TEST_F(CheckAs, SaysWhenSomethingDoesNotExistForTheCaller) {
  EXPECT_EQ(Run("ada", "{}"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("the caller is not role \"dev\""));
  EXPECT_THAT(out_.str(), HasSubstr("hidden: no rule could allow it"));
  EXPECT_EQ(Run("{roles: [dev], groups: [guests]}", R"({"path":"/srv/a"})"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("hidden: rule policies.authorize.rules[1] always denies it"));
  EXPECT_EQ(Run("anonymous", "{}", "files__read_file"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("tool is not read_file"));
}

TEST_F(CheckAs, SupposesWhatAgentsOfTheCallerCanDo) {
  const std::string rules =
      "servers:\n  files: {command: x}\n"
      "policies: {authorize: {rules: [{name: d, effect: allow, who: {capability: 'deploy*'}}]}}\n";
  const std::string lead = "{subject: ada, roles: [lead]}";
  file_ = place_.Put("agents.yaml", rules + "orchestration: {roles: {vouch: [lead]}}\n");
  EXPECT_EQ(Run(lead, "{}", "files/write_file"), kFailed);
  capabilities_ = {"python", "deploy-prod"};
  EXPECT_EQ(Run(lead, "{}", "files/write_file"), kOk);
  EXPECT_EQ(err_.str(), "");
  EXPECT_THAT(out_.str(), HasSubstr("  allow d: holds\n"));
  const auto expect_nothing = [&](const std::string& caller, const std::string& why) {
    EXPECT_EQ(Run(caller, "{}", "files/write_file"), kFailed);
    EXPECT_EQ(err_.str(), "--capability changes nothing here: " + why + "\n");
  };
  expect_nothing("{subject: ada, roles: [dev]}",
                 "the caller has no role of orchestration.roles.vouch");
  expect_nothing("{roles: [lead]}", "the caller proved nothing: give it a subject");
  file_ = place_.Put("nobody.yaml", rules + "orchestration: {}\n");
  expect_nothing(lead, "orchestration.roles says nothing of vouch");
  file_ = place_.Put("off.yaml", rules);
  expect_nothing(lead, "orchestration is not enabled");
}

TEST_F(CheckAs, SpeaksJsonForPrograms) {
  EXPECT_EQ(Run("{roles: [dev]}", R"({"path":"/srv/a"})", "files/write_file", true), kOk);
  EXPECT_THAT(out_.str(), StartsWith(R"({"outcome":"allowed","because":"rule devs allows it)"));
  EXPECT_THAT(out_.str(),
              HasSubstr(R"({"rule":"devs","effect":"allow","holds":true,"against":[]})"));
}

TEST_F(CheckAs, AsksEveryMemberOfAGroup) {
  file_ = place_.Put("group.yaml", R"(servers:
  east: {command: x}
  west:
    command: x
    policies: {authorize: {rules: [{name: closed, effect: deny, what: {tool: send}}]}}
groups:
  mail: {servers: [{server: east}, {server: west}]}
policies: {authorize: {rules: [{effect: allow}]}}
)");
  EXPECT_EQ(Run("ada", "{}", "mail__send"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("tool send of server east\n"));
  EXPECT_THAT(out_.str(), HasSubstr("tool send of server west\n"));
  EXPECT_THAT(out_.str(), HasSubstr("of the group: hidden, as at server west\n"));
  EXPECT_EQ(Run("ada", "{}", "east/send", true), kFailed);
  EXPECT_THAT(out_.str(), StartsWith(R"({"outcome":"hidden")"));
  EXPECT_EQ(Run("ada", "{}", "mail__read"), kOk) << out_.str();
  EXPECT_THAT(out_.str(), HasSubstr("of the group: allowed\n"));
}

TEST_F(CheckAs, SaysOfWhatAnEndpointDoesNotOfferThatNobodyMayCallIt) {
  file_ = place_.Put("view.yaml", R"(servers:
  files: {command: x}
endpoints:
  team: {tools: {include: ["files__read*"]}}
policies: {authorize: {rules: [{effect: allow}]}}
)");
  EXPECT_EQ(Run("ada", "{}", "files__write", false, "team"), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("not offered: endpoints.team.tools does not offer it\n"));
  EXPECT_EQ(Run("ada", "{}", "files__write", true, "team"), kFailed);
  EXPECT_THAT(out_.str(), StartsWith(R"({"outcome":"not offered")"));
  EXPECT_EQ(Run("ada", "{}", "files__read", false, "team"), kOk);
}

TEST_F(CheckAs, IsToldWhichNamesOfARuleNobodyHas) {
  const auto with = [this](const std::string& what) {
    file_ = place_.Put("names.yaml",
                       "servers: {files: {command: x}}\nendpoints: {team: {}}\n"
                       "policies: {authorize: {rules: [{effect: deny, what: {" +
                           what + "}}, {effect: allow}]}}\n");
    return Run("ada", "{}");
  };
  EXPECT_EQ(with("server: fils"), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("policies.authorize.rules[0].what.server: unknown server "
                                    "\"fils\", did you mean files?"));
  EXPECT_EQ(with("endpoint: tean"), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("unknown endpoint \"/mcp/tean\", did you mean /mcp/team?"));
  EXPECT_EQ(with("server: [files, 'f*', 'x*'], endpoint: [team, /mcp]"), kFailed);
  EXPECT_EQ(err_.str(), "") << "a pattern that fits none yet is no error";
}

TEST_F(CheckAs, IsToldWhatIsWrongWithTheQuestion) {
  EXPECT_EQ(Run("{subjct: ada}", "{}"), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean subject"));
  EXPECT_EQ(Run("ada", "[1]"), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("must be a JSON object"));
  EXPECT_EQ(Run("ada", "{}", "nobody__x"), kFailed);
}

}  // namespace
}  // namespace switchyard::cli
