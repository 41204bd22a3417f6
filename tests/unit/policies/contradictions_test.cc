// What a configuration says that nothing could come of, found by `switchyard check`.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/glob.h"
#include "config/environment.h"
#include "config/load.h"
#include "policies/registry.h"

namespace switchyard::policies {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ProblemsIn(const std::string& text) {
  const config::LoadResult result =
      config::LoadText(text, "c.yaml", PolicyKeys(), config::ProcessEnvironment());
  std::string problems;
  if (!result) {
    for (const config::Problem& problem : result.error()) problems += problem.ToString() + "\n";
  }
  return problems;
}

// Of one server.
std::string OfTools(const std::string& tool_policies, const std::string& policies = "{}",
                    const std::string& of_server = "{}") {
  return ProblemsIn("policies: " + policies + "\nservers:\n  a: {command: x, policies: " +
                    of_server + ", tool_policies: " + tool_policies + "}\n");
}

TEST(Contradictions, ToolsThatMayNotRunTwiceAreNotRepeatedAfterWhatMayHaveRun) {
  const std::string never = "{send_mail: {retry: {on: [protocol, internal], never: [send_mail]}}}";
  EXPECT_EQ(
      OfTools(never),
      "c.yaml:3:73: servers.a.tool_policies.send_mail.retry.on: after protocol and internal "
      "nobody knows whether send_mail ran, and it may not run twice (never), so nothing would "
      "be repeated: add unavailable, or say attempts: 0\n");
  EXPECT_THAT(OfTools("{send_mail: {retry: {on: [internal]}}}", "{retry: {never: ['send_*']}}"),
              HasSubstr("tool_policies.send_mail.retry.on: after internal nobody knows"));
  EXPECT_THAT(OfTools("{'send_*': {retry: {on: [internal], never: ['*']}}}"),
              HasSubstr("whether send_* ran"));
  EXPECT_THAT(OfTools("{'send_*': {retry: {on: [internal], never: [send_mail]}}}"), IsEmpty());
  EXPECT_THAT(OfTools("{send_mail: {retry: {on: [unavailable, internal], never: [send_mail]}}}"),
              IsEmpty());
  EXPECT_THAT(OfTools("{send_mail: {retry: {attempts: 0, on: [internal], never: ['*']}}}"),
              IsEmpty());
  // Resources and prompts are read again.
  EXPECT_THAT(OfTools("{}", "{}", "{retry: {on: [internal], never: ['*']}}"), IsEmpty());
}

TEST(Contradictions, WhatIsNeverCachedHasNoTimesAndNoKey) {
  for (const char* key : {"negative_ttl: 1m", "stale_if_error: 1m", "stale_while_open: 1m",
                          "keep_stale: 1m", "key: 'm:{to}'", "ttl: 1m"}) {
    const std::string said = OfTools("{send_mail: {cache: {" + std::string(key) + "}}}");
    const std::string name(key, std::string(key).find(':'));
    EXPECT_THAT(said, AllOf(HasSubstr("tool_policies.send_mail.cache." + name + ": "),
                            HasSubstr("never cached, since its name says `send`")));
    EXPECT_THAT(OfTools("{find: {cache: {" + std::string(key) + "}}}"), IsEmpty()) << key;
    EXPECT_THAT(OfTools("{send_mail: {cache: {enabled: false, " + std::string(key) + "}}}"),
                IsEmpty());
  }
  EXPECT_THAT(OfTools("{write: {cache: {invalidates: ['*'], key: 'a:{b}'}}}"),
              HasSubstr("a tool that invalidates others changes something"));
  EXPECT_THAT(OfTools("{send_mail: {cache: {stale_if_error: 0s, key: ''}}}"), IsEmpty());
  EXPECT_THAT(OfTools("{find: {cache: {keep_stale: 1m, server_ttl: false}}}"),
              HasSubstr("nothing is kept that could stand in"));
}

TEST(Contradictions, AnOldAnswerNeedsTheCache) {
  const std::string stale = "fallback: {alternatives: [{stale: 1h}]}";
  EXPECT_THAT(OfTools("{}", "{" + stale + "}"),
              HasSubstr("c.yaml:1:37: policies.fallback.alternatives: stale gives what the cache "
                        "keeps, and it keeps nothing of these calls"));
  EXPECT_THAT(OfTools("{}", "{" + stale + ", cache: {enabled: false}}"),
              HasSubstr("keeps nothing"));
  EXPECT_THAT(OfTools("{}", "{" + stale + ", cache: {server_ttl: false}}"),
              HasSubstr("keeps nothing"));
  EXPECT_THAT(OfTools("{find: {" + stale + "}}", "{cache: {ttl: 1m}}", "{cache: {enabled: false}}"),
              HasSubstr("servers.a.tool_policies.find.fallback.alternatives: stale"));
  // Any call that has both will do.
  EXPECT_THAT(OfTools("{}", "{" + stale + ", cache: {}}"), IsEmpty());
  EXPECT_THAT(OfTools("{find: {cache: {ttl: 1m}}}", "{" + stale + "}"), IsEmpty());
  EXPECT_THAT(OfTools("{find: {" + stale + "}}", "{cache: {ttl: 1m}}"), IsEmpty());
  EXPECT_THAT(OfTools("{'f*': {cache: {ttl: 1m}}, find: {" + stale + "}}"), IsEmpty());
  EXPECT_THAT(ProblemsIn("servers: {}\npolicies: {" + stale + "}\n"),
              IsEmpty());  // no calls at all
  EXPECT_THAT(OfTools("{}", "{fallback: {alternatives: [{answer: {text: no}}]}}"), IsEmpty());
}

TEST(Contradictions, AnOldAnswerOfAnEndpointNeedsTheCacheThereOrBehind) {
  const std::string of_e =
      "endpoints: {e: {policies: {fallback: {alternatives: [{stale: 1h}]}}}}\n";
  EXPECT_THAT(ProblemsIn("servers: {a: {command: x}}\n" + of_e),
              HasSubstr("c.yaml:2:53: endpoints.e.policies.fallback.alternatives: stale"));
  EXPECT_THAT(ProblemsIn("servers: {a: {command: x, policies: {cache: {ttl: 1m}}}}\n" + of_e),
              IsEmpty());
  // Where another endpoint alone has one, it is no use here.
  EXPECT_THAT(ProblemsIn("servers: {a: {command: x}}\nendpoints:\n"
                         "  e: {policies: {fallback: {alternatives: [{stale: 1h}]}}}\n"
                         "  f: {policies: {cache: {ttl: 1m}}}\n"),
              HasSubstr("endpoints.e.policies.fallback.alternatives: stale"));
}

TEST(Contradictions, NobodyWaitsWhereThereIsNoLimit) {
  EXPECT_EQ(OfTools("{}", "{concurrency: {max_in_flight: 0, queue: 5}}"),
            "c.yaml:1:51: policies.concurrency.queue: max_in_flight: 0 is no limit, so nobody ever "
            "waits: take it out, or set a limit\n");
  EXPECT_THAT(
      OfTools("{}", "{concurrency: {max_in_flight: 0}}", "{concurrency: {queue_timeout: 1s}}"),
      HasSubstr("servers.a.policies.concurrency.queue_timeout: max_in_flight: 0"));
  EXPECT_THAT(OfTools("{t: {concurrency: {max_in_flight: 0}}}", "{}", "{concurrency: {queue: 5}}"),
              IsEmpty());
  EXPECT_THAT(OfTools("{}", "{concurrency: {max_in_flight: 0, queue: 0}}"), IsEmpty());
}

TEST(Contradictions, ToolsThatAreTakenInAndOutAgainAreNone) {
  const auto of = [](const std::string& tools) {
    return ProblemsIn("servers: {a: {command: x, tools: " + tools + "}}\n");
  };
  EXPECT_EQ(of("{include: ['a_*'], exclude: ['a_*']}"),
            "c.yaml:1:62: servers.a.tools.exclude: takes out all that include names, so no tool "
            "would be offered\n");
  EXPECT_THAT(of("{include: [a_b, a_c], exclude: ['a_?']}"), HasSubstr("takes out all"));
  EXPECT_THAT(of("{include: ['a_*', b], exclude: ['a_*']}"), IsEmpty());
  EXPECT_THAT(of("{include: ['a*'], exclude: ['a?']}"), IsEmpty());
  EXPECT_THAT(of("{exclude: ['*']}"), IsEmpty());  // for its resources
}

TEST(Contradictions, AGlobCoversWhatItSurelyMatches) {
  EXPECT_TRUE(GlobCovers("*", "a?b*"));
  EXPECT_TRUE(GlobCovers("a*", "a_*"));
  EXPECT_TRUE(GlobCovers("a?", "a?"));
  EXPECT_TRUE(GlobCovers("a?", "ab"));
  EXPECT_FALSE(GlobCovers("a?", "a*"));
  EXPECT_FALSE(GlobCovers("a_*", "a*"));
}

}  // namespace
}  // namespace switchyard::policies
