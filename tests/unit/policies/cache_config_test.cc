// What `switchyard check` says of the cache.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/load.h"
#include "policies/registry.h"

namespace switchyard::policies {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The problems of a file whose server has these tool_policies, a line each.
std::string CacheProblems(const std::string& tool_policies, const std::string& policies = "{}") {
  const std::string text =
      "servers: {a: {url: 'http://127.0.0.1:1/mcp', tool_policies: " + tool_policies +
      "}}\npolicies: " + policies + "\n";
  const config::LoadResult result =
      config::LoadText(text, "test.yaml", PolicyKeys(), config::ProcessEnvironment());
  std::string problems;
  if (!result) {
    for (const config::Problem& problem : result.error()) problems += problem.ToString() + "\n";
  }
  return problems;
}

TEST(CacheConfig, ATimeForANameThatIsNeverCachedIsRefusedWithTheReason) {
  EXPECT_THAT(CacheProblems("{send_mail: {cache: {ttl: 1m}}}"),
              AllOf(HasSubstr("servers.a.tool_policies.send_mail.cache.ttl"),
                    HasSubstr("never cached, since its name says `send`"), HasSubstr("`allow`")));
  EXPECT_THAT(CacheProblems("{'delete_*': {cache: {ttl: 1m}}}"), HasSubstr("`delete`"));
  EXPECT_THAT(CacheProblems("{mail.send: {cache: {ttl: 1m, allow: ['*']}}}"), HasSubstr("`send`"));
  EXPECT_THAT(CacheProblems("{send_mail: {cache: {ttl: 0s}}}"), IsEmpty());
  EXPECT_THAT(CacheProblems("{send_mail: {cache: {ttl: 1m, allow: [send_mail]}}}"), IsEmpty());
  EXPECT_THAT(CacheProblems("{send_mail: {cache: {ttl: 1m}}}", "{cache: {allow: [send_mail]}}"),
              IsEmpty());
  EXPECT_THAT(CacheProblems("{'*': {cache: {ttl: 1m}}, 'send*': {cache: {ttl: 1m}}}"), IsEmpty());
  EXPECT_THAT(CacheProblems("{send_mail: {timeout: {total: 1s}}}", "{cache: {ttl: 1m}}"),
              IsEmpty());
}

TEST(CacheConfig, ATimeForAToolThatNothingLetsIntoTheCacheIsRefused) {
  EXPECT_THAT(CacheProblems("{search: {cache: {ttl: 1m, methods: [prompts/get]}}}"),
              HasSubstr("methods leaves tools/call out"));
  EXPECT_THAT(CacheProblems("{search: {cache: {ttl: 1m, hints: []}}}"),
              HasSubstr("no hint is believed"));
  EXPECT_THAT(CacheProblems("{search: {cache: {ttl: 1m}}}", "{cache: {hints: []}}"),
              HasSubstr("no hint is believed"));
  EXPECT_THAT(CacheProblems("{search: {cache: {ttl: 1m, hints: [], allow: [search]}}}"), IsEmpty());
  EXPECT_THAT(CacheProblems("{search: {cache: {enabled: false, invalidates: ['*']}}}"), IsEmpty());
  EXPECT_THAT(CacheProblems("{search: {cache: {server_ttl: false, stale_if_error: 1m}}}"),
              HasSubstr("nothing is kept that could stand in"));
  EXPECT_THAT(CacheProblems("{search: {cache: {stale_if_error: 1m}}}"), IsEmpty());
}

TEST(CacheConfig, TheSizeOfTheCacheIsSaidOnce) {
  EXPECT_THAT(CacheProblems("{read: {cache: {max_bytes: 1MiB}}}"), HasSubstr("say it at policies"));
  EXPECT_THAT(CacheProblems("{read: {cache: {max_entry: 8MiB}}}"), HasSubstr("a sixteenth"));
  EXPECT_THAT(CacheProblems("{read: {cache: {max_entry: 8MiB}}}", "{cache: {max_bytes: 256MiB}}"),
              IsEmpty());
}

}  // namespace
}  // namespace switchyard::policies
