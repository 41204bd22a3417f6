// `check --explain` with the policies that there are: which of them a call meets, and which not.
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Explained : public testing::Test {
 protected:
  std::string Of(const std::string& text, bool as_json = false) {
    environment_.files["c.yaml"] = text;
    std::ostringstream out, err;
    RunCheck("c.yaml", as_json, out, err, policies::PolicyKeys(), environment_,
             {.tool = "a/b", .endpoint = ""});
    return out.str() + err.str();
  }

  // The policies that are on, and `name: why` of each that is off.
  std::pair<std::vector<std::string>, std::vector<std::string>> OnAndOff(const std::string& text) {
    const boost::json::value said = boost::json::parse(Of(text, true));
    std::vector<std::string> on, off;
    for (const auto& policy : said.at("explained").at("policies").as_array()) {
      const std::string name(policy.at("name").as_string());
      if (!policy.at("off").as_bool()) {
        on.push_back(name);
        EXPECT_FALSE(policy.as_object().contains("why")) << name;
        continue;
      }
      off.push_back(name + ": " + std::string(policy.at("why").as_string()));
      for (const auto& value : policy.at("values").as_array()) {
        EXPECT_NE(value.at("from").as_string(), "default") << name;
      }
    }
    return {on, off};
  }

  FakeEnvironment environment_;
};

constexpr const char* kNothing = "servers: {a: {command: x}}\n";

TEST_F(Explained, WhereNothingIsSaidWhatWorksAllTheSameIsOnAndTheRestOff) {
  const auto [on, off] = OnAndOff(kNothing);
  EXPECT_THAT(on, ElementsAre("telemetry", "concurrency", "timeout"));
  EXPECT_EQ(on.size() + off.size(), policies::PolicyKeys().size());
  const std::string said = Of(kNothing);
  EXPECT_THAT(said, HasSubstr("\nretry: off (nothing sets it)\nbreaker: off (nothing sets it)\n"
                              "concurrency, once an attempt\n  max_in_flight: 64  default\n"));
  EXPECT_THAT(said, HasSubstr("\naudit: off (no audit.path)\n"));
  EXPECT_THAT(said, HasSubstr("\nauthorize: off (no rules)\n"));
  EXPECT_THAT(said, Not(HasSubstr("attempts")));
  EXPECT_THAT(said, Not(HasSubstr("farther")));
}

TEST_F(Explained, WhatIsSetOffSaysHowAndWhere) {
  const std::string said = Of(R"(servers:
  a: {command: x, policies: {retry: {attempts: 0}, timeout: {total: 0s}}}
policies:
  breaker: {enabled: false, probes: 3}
  retry: {attempts: 4}
  cache: {enabled: false}
)");
  EXPECT_THAT(said, HasSubstr("\nretry: off (attempts: 0)\n"
                              "  attempts: 0  c.yaml:2 servers.a.policies.retry.attempts\n"
                              "breaker: off (enabled: false)\n"
                              "  enabled: false  c.yaml:4 policies.breaker.enabled\n"
                              "  probes: 3       c.yaml:4 policies.breaker.probes\n"
                              "concurrency, once an attempt\n"));
  EXPECT_THAT(said, HasSubstr("\ntimeout: off (total: 0s, idle: 0s)\n"));
  EXPECT_THAT(said, HasSubstr("\ncache: off (enabled: false)\n"));
}

TEST_F(Explained, WhatIsNamedAndHasNothingToDoIsOffAsWell) {
  const auto [on, off] = OnAndOff(R"(servers: {a: {command: x}}
policies: {opa: {}, rate_limit: {}, guardrail: {}, validate: {}, fallback: {}, approval: {},
           authorize: {}, context_budget: {}, result_cap: {}, budget: {}, audit: {}}
)");
  EXPECT_THAT(on, ElementsAre("telemetry", "concurrency", "timeout"));
}

TEST_F(Explained, WhatIsSetIsOn) {
  const auto [on, off] = OnAndOff(R"(audit: {path: /var/log/audit.jsonl}
servers: {a: {command: x}, b: {command: y}}
policies:
  context_budget: {total: 100000}
  fallback: {alternatives: [{server: b}]}
  authorize: {rules: [{effect: allow}]}
  opa: {url: "http://127.0.0.1:8181/v1/data/x"}
  rate_limit: {rate: 1/s}
  result_cap: {max_bytes: 64KiB}
  guardrail: {results: {all: redact}}
  validate: {arguments: warn}
  approval: {rules: [{name: x, tool: "*"}]}
  cache: {ttl: 1m}
  budget: {budgets: {x: {calls: 5, window: 1h}}}
  retry: {}
  breaker: {}
)");
  EXPECT_THAT(off, ElementsAre());
}

TEST_F(Explained, AlternativesAreShownAsTheyAreWhoeverGivesThem) {
  const std::string said = Of(R"(servers:
  a: {command: x, policies: {fallback: {within: 5s}}}
  b: {command: y}
policies: {fallback: {alternatives: [{server: b}]}}
)");
  EXPECT_THAT(said, HasSubstr("alternatives[0].server: b"));
  EXPECT_THAT(said, Not(HasSubstr("farther")));
}

TEST_F(Explained, WhatARuleOfAuthorizeHasWaitGoesByTheSettingsOfApproval) {
  const std::string said = Of(R"(servers: {a: {command: x}}
policies: {authorize: {rules: [{effect: require_approval, what: {tool: "*"}}]}}
)");
  EXPECT_THAT(said, HasSubstr("\napproval, once a call\n"));
  EXPECT_THAT(said, HasSubstr("hold: 45s "));
}

TEST_F(Explained, ARuleWhoseEffectWasExpandedHasCallsWaitAsWell) {
  environment_.variables["E"] = "require_approval";
  const std::string said = Of(R"(servers: {a: {command: x}}
policies: {authorize: {rules: [{effect: "${E}", what: {tool: "*"}}]}}
)");
  EXPECT_THAT(said, HasSubstr("\napproval, once a call\n"));
  EXPECT_THAT(said, HasSubstr("effect: ${E} "));
}

TEST_F(Explained, OfAGroupTheOthersAreAskedWhateverIsSaid) {
  const auto [on, off] = OnAndOff(
      "servers: {a: {command: x}, b: {command: y}}\ngroups: {g: {servers: [{server: a}, {server: "
      "b}]}}\n");
  EXPECT_THAT(on, ElementsAre("telemetry", "fallback", "concurrency", "timeout"));
}

}  // namespace
}  // namespace switchyard::config
