#include "config/describe.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.h"
#include "config/load.h"
#include "config/redact.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kText = R"(listen: 127.0.0.1:8080
servers:
  files:
    command: npx
    args: [-y, files-mcp, --token, hunter2, "--db=${TOKEN}", "postgres://u:hunter2@db/x?key=hunter2"]
    env: {KEY: hunter2, OTHER: "${TOKEN}"}
    prefix: fs
    tools: {include: [a*, b], exclude: [c]}
    policies: {timeout: {total: 1s}}
  billing:
    enabled: false
    url: https://mcp.example.com/${TOKEN}/mcp?key=hunter2&b=${TOKEN}
    headers: {Authorization: Bearer hunter2, X-Plain: hunter2}
    era: modern
endpoints:
  one: {servers: [files], transparent: true}
policies: {telemetry: {}}
page_size: 10
)";

Config Loaded() {
  const FakeEnvironment environment;
  auto loaded = LoadText(kText, "c.yaml", FakePolicies(), environment);
  if (!loaded) throw std::runtime_error(loaded.error().front().ToString());
  return loaded->config;
}

TEST(Describe, SaysWhatTheConfigurationMeans) {
  EXPECT_EQ(Describe(Loaded()), R"(listen 127.0.0.1:8080, bodies up to 4MiB
  every program on this machine may use /mcp, /mcp/one: nobody has to prove who they are (see auth)
2 servers
  billing (disabled)
      url https://mcp.example.com/${TOKEN}/mcp?key=***&b=***
      headers Authorization: ***, X-Plain: ***
      tools named billing__...
      era modern
      timeouts start 30s, list 10s
  files
      command npx -y files-mcp --token *** --db=${TOKEN} postgres://***@db/x?key=***
      env KEY=***, OTHER=***
      tools named fs__...
      tools include a*, b
      tools exclude c
      timeouts start 30s, list 10s
      policies timeout
1 endpoint
  /mcp/one (transparent)
      servers files
policies telemetry
log info as json, a line per call
list pages of 10 tools
)");
}

TEST(Describe, ShowsNoSecretInEitherForm) {
  const Config config = Loaded();
  const std::string text = Describe(config);
  const std::string as_json = boost::json::serialize(DescribeJson(config));
  for (const std::string& shown : {text, as_json}) {
    EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
    EXPECT_THAT(shown, Not(HasSubstr("s3cret")));
    EXPECT_THAT(shown, HasSubstr("${TOKEN}"));
  }
}

TEST(Describe, TheJsonHasTheSameFacts) {
  const boost::json::value shown = DescribeJson(Loaded());
  EXPECT_EQ(shown.at("listen").at("address"), "127.0.0.1:8080");
  EXPECT_EQ(shown.at("servers").at("files").at("prefix"), "fs");
  EXPECT_EQ(shown.at("servers").at("files").at("env").at("KEY"), "***");
  EXPECT_EQ(shown.at("servers").at("billing").at("enabled"), false);
  EXPECT_EQ(shown.at("servers").at("billing").at("era"), "modern");
  EXPECT_EQ(shown.at("endpoints").at("one").at("transparent"), true);
  EXPECT_EQ(shown.at("policies"), boost::json::parse(R"(["telemetry"])"));
  EXPECT_EQ(shown.at("page_size"), 10);
}

TEST(Describe, TheQueryOfAModelsUrlIsNobodysBusiness) {
  const FakeEnvironment environment;
  const auto loaded = LoadText(
      "servers: {}\norchestration: {planner: {url: 'https://m.example/x?key=hunter2', model: m}}",
      "c.yaml", FakePolicies(), environment);
  ASSERT_TRUE(loaded) << loaded.error().front().ToString();
  EXPECT_THAT(Describe(loaded->config), HasSubstr("model m at https://m.example/x?key=***"));
}

TEST(Redact, HidesUserInfoQueryValuesAndFragments) {
  EXPECT_EQ(RedactUrl("https://h:8080/p"), "https://h:8080/p");
  EXPECT_EQ(RedactUrl("https://u:p@h/p"), "https://***@h/p");
  EXPECT_EQ(RedactUrl("https://u@h"), "https://***@h");
  EXPECT_EQ(RedactUrl("https://u:p@x@h/p"), "https://***@h/p");
  EXPECT_EQ(RedactUrl("postgres://u:p/w@h/db"), "postgres://***@h/db");
  EXPECT_EQ(RedactUrl("postgres://u:p?w#@h/db"), "postgres://***@h/db");
  EXPECT_EQ(RedactUrl("https://h/@scope/p"), "https://h/@scope/p");
  EXPECT_EQ(RedactUrl("https://h?a=1&b=2&c"), "https://h?a=***&b=***&***");
  EXPECT_EQ(RedactUrl("https://h/p#frag"), "https://h/p#***");
  EXPECT_EQ(RedactUrl("https://[::1]:80/p"), "https://[::1]:80/p");
  EXPECT_EQ(RedactUrl("plain text"), "plain text");
}

std::vector<std::string> Redacted(std::initializer_list<const char*> args) {
  std::vector<Secret> secrets;
  for (const char* arg : args) secrets.emplace_back(arg, arg);
  return RedactArgs(secrets);
}

TEST(Redact, HidesWhatFollowsATellingName) {
  EXPECT_THAT(Redacted({"--api-key", "x", "y"}), ElementsAre("--api-key", "***", "y"));
  EXPECT_THAT(Redacted({"--password=x"}), ElementsAre("--password=***"));
  EXPECT_THAT(Redacted({"--token", "-x"}), ElementsAre("--token", "***"));
  EXPECT_THAT(Redacted({"-e", "GITHUB_TOKEN=x"}), ElementsAre("-e", "GITHUB_TOKEN=***"));
  EXPECT_THAT(Redacted({"--header", "Authorization: Bearer x"}),
              ElementsAre("--header", "Authorization:***"));
  EXPECT_THAT(Redacted({"{\"apiKey\": \"x\"}"}), ElementsAre("{\"apiKey\":***"));
  EXPECT_THAT(Redacted({"run", "-i", "--name=a", "/srv"}),
              ElementsAre("run", "-i", "--name=a", "/srv"));
}

class Check : public testing::Test {
 protected:
  int Run(bool json) {
    out.str("");
    err.str("");
    return RunCheck("/c.yaml", json, out, err, keys, environment);
  }
  FakeEnvironment environment;
  std::vector<PolicyKey> keys = FakePolicies();
  std::ostringstream out, err;
};

TEST_F(Check, OfAGoodFilePrintsTheSummaryAndReturnsZero) {
  environment.files["/c.yaml"] = kText;
  EXPECT_EQ(Run(false), 0);
  EXPECT_EQ(out.str(), "/c.yaml is fine\n" + Describe(Loaded()));
  EXPECT_EQ(err.str(), "");
}

TEST_F(Check, OfABadFilePrintsEveryProblemAndReturnsOne) {
  environment.files["/c.yaml"] = "servers:\n  a: {url: ftp://h}\n  b: {command: x, era: x}\n";
  EXPECT_EQ(Run(false), 1);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(err.str(),
            "/c.yaml:2:12: servers.a.url: scheme must be http or https, got ftp\n"
            "/c.yaml:3:24: servers.b.era: must be one of auto, modern, legacy, got x\n");
}

TEST_F(Check, PrintsWarningsOfAGoodFileBesideTheSummary) {
  environment.files["/c.yaml"] = "listen: 0.0.0.0:1\nauth: none\nservers: {}\n";
  EXPECT_EQ(Run(false), 0);
  EXPECT_THAT(err.str(), HasSubstr("/c.yaml:2:7: warning: auth: everybody who"));
}

TEST_F(Check, SpeaksJsonForMachines) {
  environment.files["/c.yaml"] = "servers:\n  a: {url: ftp://h}\n";
  EXPECT_EQ(Run(true), 1);
  const boost::json::value bad = boost::json::parse(out.str());
  EXPECT_EQ(bad.at("ok"), false);
  EXPECT_EQ(bad.at("problems").as_array().size(), 1U);
  EXPECT_EQ(boost::json::serialize(bad.at("problems").at(0)),
            R"({"severity":"error","file":"/c.yaml","line":2,"column":12,"path":"servers.a.url",)"
            R"("message":"scheme must be http or https, got ftp"})");

  environment.files["/c.yaml"] = kText;
  EXPECT_EQ(Run(true), 0);
  const boost::json::value good = boost::json::parse(out.str());
  EXPECT_EQ(good.at("ok"), true);
  EXPECT_EQ(good.at("config").at("servers").at("files").at("prefix"), "fs");
  EXPECT_EQ(err.str(), "");
}

TEST_F(Check, OfAMissingFileSaysSo) {
  EXPECT_EQ(Run(false), 1);
  EXPECT_EQ(err.str(), "/c.yaml: cannot read: no such file or directory\n");
}

}  // namespace
}  // namespace switchyard::config
