// Groups of servers and alternatives, as a configuration says them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/explain.h"
#include "config/load.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LoadResult LoadGroups(const std::string& more) {
  static const FakeEnvironment environment;
  return LoadText("servers: {a: {command: x}, b: {command: y}, c: {command: z}}\n" + more, "g.yaml",
                  policies::PolicyKeys(), environment);
}
std::string ProblemOf(const std::string& more) {
  const LoadResult loaded = LoadGroups(more);
  return loaded ? "" : loaded.error().front().path + ": " + loaded.error().front().message;
}

TEST(ConfiguredGroups, MembersStandBestFirst) {
  const LoadResult loaded = LoadGroups(
      "groups: {g: {servers: [{server: c, priority: 2}, {server: b, priority: 1}, "
      "{server: a, priority: 2}]}}");
  ASSERT_TRUE(loaded) << loaded.error().front().ToString();
  const Group& group = loaded->config.groups.at("g");
  EXPECT_THAT(group.servers, ElementsAre("b", "c", "a"));
  EXPECT_EQ(group.effective_prefix(), "g");
  EXPECT_EQ(group.choice, Group::Choice::kPriority);
}

TEST(ConfiguredGroups, AnEndpointNamesThemLikeServers) {
  const LoadResult loaded = LoadGroups(
      "groups: {g: {servers: [{server: a}, {server: b}]}}\n"
      "endpoints: {e: {servers: [g, c]}}");
  ASSERT_TRUE(loaded) << loaded.error().front().ToString();
  EXPECT_THAT(loaded->config.endpoints.at("e").servers, ElementsAre("a", "b", "c"));
  EXPECT_THAT(loaded->config.endpoints.at("e").groups, ElementsAre("g"));
}

TEST(ConfiguredGroups, WhatCannotBeIsRefused) {
  EXPECT_THAT(ProblemOf("groups: {g: {servers: [{server: nobody}]}}"),
              HasSubstr("groups.g.servers[0].server: unknown server \"nobody\""));
  EXPECT_THAT(ProblemOf("groups: {g: {servers: [{server: a}]}, h: {servers: [{server: a}]}}"),
              HasSubstr("groups.h: server a is in group g, too"));
  EXPECT_THAT(ProblemOf("groups: {g: {servers: [{server: a}, {server: a}]}}"),
              HasSubstr("groups.g.servers[1].server: is in this group already"));
  EXPECT_THAT(ProblemOf("groups: {a: {servers: [{server: b}]}}"),
              HasSubstr("groups.a: is also the name of a server"));
  EXPECT_THAT(ProblemOf("groups: {g: {prefix: c, servers: [{server: b}]}}"),
              HasSubstr("groups.g: has the prefix \"c\" of servers.c"));
  EXPECT_THAT(ProblemOf("groups: {g: {servers: []}}"), HasSubstr("names no server"));
  EXPECT_THAT(ProblemOf("groups: {g: {servers: [{server: a}]}}\n"
                        "endpoints: {e: {servers: [g, a]}}"),
              HasSubstr("endpoints.e.servers: has group g and its member a"));
  EXPECT_THAT(ProblemOf("groups: {g: {servers: [{server: a}]}}\n"
                        "endpoints: {e: {servers: [g], transparent: true}}"),
              HasSubstr("endpoints.e.transparent: needs a server, not a group"));
}

std::string OfAlternative(const std::string& alternative) {
  return ProblemOf("policies: {fallback: {alternatives: [" + alternative + "]}}");
}

TEST(ConfiguredGroups, AToolOfOneIsExplainedByItsMember) {
  const LoadResult loaded = LoadGroups("groups: {g: {servers: [{server: a}, {server: b}]}}");
  ASSERT_TRUE(loaded);
  const auto of = [&](const std::string& tool) {
    const auto found = FindTool(loaded->config, {.tool = tool, .endpoint = ""});
    return found ? found->server : found.error();
  };
  EXPECT_EQ(of("g__t"), "\"g__t\" may be a tool of any of a, b; say SERVER/TOOL");
  EXPECT_EQ(of("b/t"), "b");
  EXPECT_EQ(of("c__t"), "c");
}

TEST(ConfiguredAlternatives, NameServersThatExist) {
  EXPECT_EQ(OfAlternative("{server: b}"), "");
  EXPECT_THAT(OfAlternative("{server: nobody}"),
              HasSubstr("policies.fallback.alternatives[0].server: unknown server \"nobody\""));
}

TEST(ConfiguredAlternatives, AreNotWhatTheyStandInFor) {
  const auto of = [](const std::string& where, const std::string& alternative) {
    static const FakeEnvironment environment;
    const LoadResult loaded =
        LoadText("servers: {a: {command: x, " + where + "{fallback: {alternatives: [" +
                     alternative + "]}}" + (where.ends_with("t: ") ? "}" : "") + "}}",
                 "s.yaml", policies::PolicyKeys(), environment);
    return loaded ? "" : loaded.error().front().message;
  };
  EXPECT_THAT(of("policies: ", "{server: a}"), HasSubstr("is what it stands in for"));
  EXPECT_THAT(of("tool_policies: {t: ", "{server: a}"), HasSubstr("is what it stands in for"));
  EXPECT_THAT(of("tool_policies: {t: ", "{server: a, tool: t}"), HasSubstr("the tool itself"));
  EXPECT_THAT(of("tool_policies: {t: ", "{tool: a__t}"), HasSubstr("the tool itself"));
  EXPECT_EQ(of("tool_policies: {t: ", "{server: a, tool: u}"), "");
}

TEST(ConfiguredValues, AreJsonAsTheyStand) {
  const FakeEnvironment environment;
  Document document(
      "v: {a: 1.50, b: '1', c: true, d: [x, null, {e: \"q\\\"\"}], f: 0x10, g: 1e3, h: .5}",
      "v.yaml", environment);
  auto root = document.Root();
  EXPECT_EQ(
      root->Json("v"),
      R"({"a":1.50,"b":"1","c":true,"d":["x",null,{"e":"q\""}],"f":"0x10","g":1e3,"h":".5"})");
}

}  // namespace
}  // namespace switchyard::config
