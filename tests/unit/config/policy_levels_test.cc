// The four levels of policies: who wins, what is reported, and where values came from.
#include "config/policy_levels.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.h"
#include "config/explain.h"
#include "config/load.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A policy with a rule between two of its keys, a list, and a level where it does nothing.
struct Window {
  std::int64_t low = 0;
  std::int64_t high = 10;
  std::vector<std::int64_t> steps = {1};
  std::string word = "none";
};

std::shared_ptr<const void> ParseWindow(Section section, const void* inherited) {
  auto window = inherited == nullptr
                    ? std::make_shared<Window>()
                    : std::make_shared<Window>(*static_cast<const Window*>(inherited));
  section.Take("low", window->low, 0, 100);
  section.Take("high", window->high, 0, 100);
  section.Take("word", window->word);
  if (section.Has("steps")) window->steps.clear();
  for (Section& item : section.Items("steps")) {
    std::int64_t size = 0;
    item.Take("size", size, 0, 100);
    window->steps.push_back(size);
  }
  if (window->low > window->high) section.Error("", "low is above high");
  return window;
}

class Levels : public testing::Test {
 protected:
  Levels() {
    keys_ = {{.name = "window", .parse = &ParseWindow},
             {.name = "door",
              .parse =
                  [](Section section, const void*) {
                    bool open = false;
                    section.Take("open", open);
                    section.IsOnUnsaid();
                    return std::make_shared<bool>(open);
                  },
              .stage = Stage::kServer,
              .not_at = {{Level::kEndpoint, "a door belongs to a server"},
                         {Level::kTool, "a server has one door"}}}};
  }

  Config Read(const std::string& text) {
    auto loaded = LoadText(text, "c.yaml", keys_, environment_);
    if (!loaded) {
      for (const Problem& problem : loaded.error()) ADD_FAILURE() << problem.ToString();
      return {};
    }
    return std::move(loaded->config);
  }
  std::vector<std::string> Problems(const std::string& text) {
    std::vector<std::string> out;
    const auto loaded = LoadText(text, "c.yaml", keys_, environment_);
    if (loaded) return out;
    for (const Problem& problem : loaded.error()) out.push_back(problem.ToString());
    return out;
  }
  Window At(const Config& config, const std::string& endpoint, const std::string& server,
            const std::string& tool) const {
    const EffectivePolicy policy = Resolve(keys_[0], LevelsFor(config, endpoint, server, tool));
    return policy.settings == nullptr ? Window()
                                      : *static_cast<const Window*>(policy.settings.get());
  }
  // key=value from line, of one tool.
  std::vector<std::string> Values(const Config& config, const std::string& tool) const {
    std::vector<std::string> out;
    const auto policy = Resolve(keys_[0], LevelsFor(config, "e", "s", tool), WithValues::kYes);
    for (const EffectiveValue& value : policy.values) {
      out.push_back(
          value.key + "=" + value.value +
          (value.level == nullptr ? "" : " " + value.path + ":" + std::to_string(value.at.line)));
    }
    return out;
  }

  FakeEnvironment environment_;
  std::vector<PolicyKey> keys_;
};

constexpr const char* kFour = R"(policies:
  window: {low: 1, high: 50}
endpoints:
  e:
    policies: {window: {low: 2, word: e}}
servers:
  s:
    command: x
    policies: {window: {low: 3}}
    tool_policies:
      delete_*: {window: {low: 4}}
      "*": {window: {low: 5, high: 60}}
  t:
    command: y
)";

TEST_F(Levels, TheNearestWinsKeyByKey) {
  const Config config = Read(kFour);
  EXPECT_EQ(At(config, "", "", "").low, 1);
  EXPECT_EQ(At(config, "e", "", "").low, 2);
  EXPECT_EQ(At(config, "e", "t", "delete_x").low, 2);
  EXPECT_EQ(At(config, "", "s", "").low, 3);
  EXPECT_EQ(At(config, "e", "s", "").low, 3);
  EXPECT_EQ(At(config, "e", "s", "read").low, 5);
  EXPECT_EQ(At(config, "e", "s", "delete_x").low, 4);
  // What a nearer level does not say comes from the next one that does.
  EXPECT_EQ(At(config, "e", "s", "").word, "e");
  EXPECT_EQ(At(config, "", "s", "delete_x").word, "none");
  EXPECT_EQ(At(config, "e", "s", "delete_x").high, 60);
  EXPECT_EQ(At(config, "e", "s", "").high, 50);
}

TEST_F(Levels, OfSeveralGlobsTheMoreSpecificIsNearerThenTheLater) {
  const Config config = Read(R"(
servers:
  s:
    command: x
    tool_policies:
      delete_user: {window: {low: 1}}
      "*user": {window: {low: 2}}
      user*: {window: {low: 3}}
      "*": {window: {low: 4}}
)");
  EXPECT_EQ(At(config, "", "s", "delete_user").low, 1);
  EXPECT_EQ(At(config, "", "s", "user").low, 3);
  EXPECT_EQ(At(config, "", "s", "a_user").low, 2);
  EXPECT_EQ(At(config, "", "s", "other").low, 4);
}

TEST_F(Levels, AreReadAgainWithTheAnswersThatTheFirstReadingGot) {
  std::optional<Config> config;
  {
    FakeEnvironment environment;
    environment.variables["WORD"] = "first";
    auto loaded = LoadText(
        "policies: {window: {word: '${WORD}', low: '${LOW:-7}'}}\nservers: {s: {command: x}}\n",
        "c.yaml", keys_, environment);
    ASSERT_TRUE(loaded);
    config = std::move(loaded->config);
    environment.variables["WORD"] = "second";
  }
  EXPECT_EQ(At(*config, "", "s", "").word, "first");
  EXPECT_EQ(At(*config, "", "s", "").low, 7);
}

TEST_F(Levels, EveryProblemIsReportedOnceAtItsOwnPlace) {
  EXPECT_THAT(Problems(R"(policies: {window: {lov: 1}}
endpoints:
  e: {policies: {window: {high: x}}}
  f: {policies: {window: {low: 1}}}
servers:
  s:
    command: x
    policies: {window: {low: 101}}
    tool_policies:
      a*: {window: {word: []}, wall: {}}
      "": {}
  t: {command: y, policies: {window: {low: -1}}}
)"),
              ElementsAre(HasSubstr("c.yaml:1:21: policies.window.lov: unknown key"),
                          HasSubstr("c.yaml:3:33: endpoints.e.policies.window.high"),
                          HasSubstr("c.yaml:8:30: servers.s.policies.window.low"),
                          HasSubstr("c.yaml:10:27: servers.s.tool_policies.a*.window.word"),
                          HasSubstr("c.yaml:10:32: servers.s.tool_policies.a*.wall: unknown key"),
                          HasSubstr("c.yaml:11:7: servers.s.tool_policies.: must be a tool name"),
                          HasSubstr("c.yaml:12:44: servers.t.policies.window.low")));
}

TEST_F(Levels, WhatContradictsItselfOnlyInACombinationIsAProblem) {
  // Neither is wrong alone, nor on what is global.
  EXPECT_THAT(Problems(R"(servers:
  s: {command: x, policies: {window: {low: 8}}}
  t: {command: x, policies: {window: {low: 8}}}
endpoints:
  e: {servers: [s], policies: {window: {high: 5}}}
  f: {servers: [s], policies: {window: {high: 6}}}
)"),
              ElementsAre("c.yaml:2:30: servers.s.policies.window: low is above high"));
  EXPECT_THAT(Problems(R"(servers:
  s: {command: x, tool_policies: {a: {window: {low: 8}}}}
endpoints:
  e: {policies: {window: {high: 5}}}
)"),
              ElementsAre(HasSubstr("servers.s.tool_policies.a.window: low is above high")));
}

TEST_F(Levels, APolicyWhereItDoesNothingIsAProblemWithTheReason) {
  EXPECT_THAT(
      Problems(R"(policies: {door: {open: true}}
servers: {s: {command: x, policies: {door: {open: true}}, tool_policies: {a: {door: {open: true}}}}}
endpoints: {e: {policies: {door: {}}}}
)"),
      ElementsAre(
          HasSubstr("servers.s.tool_policies.a.door: does nothing here: a server has one door"),
          HasSubstr("endpoints.e.policies.door: does nothing here: a door belongs to a server")));
}

TEST_F(Levels, AFileThatMultipliesItsLevelsIsStillReadInTime) {
  std::string text = "servers:\n";
  for (int i = 0; i < 2000; ++i) {
    text += "  s" + std::to_string(i) + ": {command: x, policies: {window: {low: 1}}}\n";
  }
  text += "endpoints:\n";
  for (int i = 0; i < 2000; ++i) {
    text += "  e" + std::to_string(i) + ": {policies: {window: {high: 9}}}\n";
  }
  EXPECT_THAT(Problems(text), IsEmpty());
}

TEST_F(Levels, EachValueKnowsWhoGaveIt) {
  const Config config = Read(kFour);
  EXPECT_THAT(Values(config, "delete_x"),
              ElementsAre("low=4 servers.s.tool_policies.delete_*.window.low:11",
                          "high=60 servers.s.tool_policies.*.window.high:12",
                          "word=e endpoints.e.policies.window.word:5"));
  EXPECT_THAT(Values(Read("servers: {s: {command: x}}"), "t"),
              ElementsAre("low=0", "high=10", "word=none"));
}

TEST_F(Levels, ANearerListReplacesTheWholeList) {
  const Config config = Read(R"(policies: {window: {steps: [{size: 1}, {size: 2}]}}
servers: {s: {command: x, policies: {window: {steps: [{size: 3}]}}}}
)");
  EXPECT_THAT(Values(config, "t"),
              ElementsAre("low=0", "high=10", "word=none",
                          "steps[0].size=3 servers.s.policies.window.steps[0].size:2"));
}

TEST_F(Levels, WhatCameFromElsewhereIsNotShown) {
  const Config config =
      Read("policies: {window: {word: '${TOKEN}'}}\nservers: {s: {command: x}}\n");
  EXPECT_EQ(At(config, "", "s", "").word, "s3cret");
  EXPECT_THAT(Values(config, "t"),
              ElementsAre("low=0", "high=10", "word=${TOKEN} policies.window.word:1"));
}

TEST_F(Levels, CheckExplainsATool) {
  environment_.files["c.yaml"] = kFour;
  const auto run = [&](const ExplainRequest& request, bool as_json) {
    std::ostringstream out, err;
    const int status = RunCheck("c.yaml", as_json, out, err, keys_, environment_, request);
    return std::to_string(status) + "\n" + out.str() + err.str();
  };
  EXPECT_EQ(run({.tool = "s__delete_x", .endpoint = "e"}, false), R"(0
tool delete_x of server s at /mcp/e
window, once a call
  low: 4    c.yaml:11 servers.s.tool_policies.delete_*.window.low
  high: 60  c.yaml:12 servers.s.tool_policies.*.window.high
  word: e   c.yaml:5 endpoints.e.policies.window.word
door, once an attempt
  open: false  default
)");
  EXPECT_THAT(
      run({.tool = "t__a", .endpoint = ""}, true),
      HasSubstr(R"({"name":"window","stage":"call","set_at":"global","off":false,"values":[)"
                R"({"key":"low","value":"1","from":"global","file":"c.yaml","line":2,)"
                R"("path":"policies.window.low"})"));
  EXPECT_THAT(run({.tool = "nobody", .endpoint = ""}, false),
              HasSubstr("1\nno server at /mcp has tools called like \"nobody\""));
  EXPECT_EQ(run({.tool = "a/b", .endpoint = ""}, true),
            "1\n{\"ok\":false,\"error\":\"there is no server \\\"a\\\", did you mean s?\"}\n");
}

TEST_F(Levels, AToolIsFoundByTheNameThatClientsSee) {
  const Config config = Read(R"(
servers:
  a: {command: x, tools: [read_*]}
  b: {command: x, prefix: ""}
  c: {command: x, prefix: ""}
endpoints:
  e: {servers: [a, b], tools: {exclude: [a__read_x]}}
  raw: {servers: [a], transparent: true}
)");
  const auto found = [&](const std::string& tool, const std::string& endpoint) {
    const auto explained = FindTool(config, {.tool = tool, .endpoint = endpoint});
    if (!explained) return explained.error();
    const std::string note = explained->note.empty() ? "" : " (" + explained->note + ")";
    return explained->server + "/" + explained->tool + note;
  };
  EXPECT_EQ(found("b/read_x", ""), "b/read_x");
  EXPECT_EQ(found("read_x", "e"), "b/read_x");
  EXPECT_EQ(found("read_x", "raw"), "a/read_x");
  EXPECT_EQ(found("a__read_x", ""), "a/read_x");  // b and c may have any name, a's fits best
  EXPECT_THAT(found("read_x", ""), HasSubstr("may be a tool of any of b, c; say SERVER/"));
  EXPECT_EQ(found("a/read_x", "e"), "a/read_x (endpoints.e.tools does not offer it)");
  EXPECT_EQ(found("a/write", ""), "a/write (servers.a.tools does not offer it)");
  EXPECT_THAT(found("write", "f"), HasSubstr("there is no endpoint \"f\""));
  EXPECT_THAT(found("d/write", ""), HasSubstr("there is no server \"d\""));
  EXPECT_THAT(found("c/write", "e"), HasSubstr("server c is not at /mcp/e"));
}

TEST_F(Levels, ABuiltInServiceHasOnlyToolsOfItsName) {
  const Config config = Read("servers: {a: {command: x}}\norchestration: {}\n");
  const auto owner = [&config](const std::string& tool) {
    const auto explained = FindTool(config, {.tool = tool, .endpoint = ""});
    return explained ? explained->server + "/" + explained->tool : explained.error();
  };
  EXPECT_EQ(owner("a__echo"), "a/echo");
  EXPECT_EQ(owner("orchestration_create_task"), "orchestration/orchestration_create_task");
  EXPECT_THAT(owner("echo"), HasSubstr("no server at /mcp has tools called like \"echo\""));
}

}  // namespace
}  // namespace switchyard::config
