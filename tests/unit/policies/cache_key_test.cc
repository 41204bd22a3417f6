// Which calls are equal: all that a server may answer by, and all that a client reads it by.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/account_versions.h"
#include "unit/policies/cache_fixture.h"

namespace switchyard::policies {
namespace {

using testing::Answer;
using testing::CachePolicy;
using testing::FakeService;
using ::testing::HasSubstr;
using ::testing::Not;

using CacheKeys = CachePolicy;

Call With(Call call, const std::function<void(Client&)>& change) {
  Client client;
  client.capabilities = "{}";
  client.info = R"({"name":"a","version":"1"})";
  change(client);
  call.client = std::make_shared<const Client>(std::move(client));
  return call;
}

TEST_F(CacheKeys, WhatAServerIsToldOfTheClientCounts) {
  const auto policy = Make("{ttl: 1m}");
  // A server may say public of what it answers to clients of one kind.
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    return ReplyWith(std::move(
        **Answer(R"({"cacheScope":"public","n":)" + std::to_string(service_.calls) + "}")));
  };
  const std::vector<std::function<void(Client&)>> kinds = {
      [](Client&) {}, [](Client& client) { client.info = R"({"name":"a","version":"2"})"; },
      [](Client& client) { client.capabilities = R"({"roots":{}})"; },
      [](Client& client) { client.tasks = Tasks::kAccepted; }};
  for (const auto& kind : kinds) EXPECT_EQ(Ask(policy, With(Of(search_), kind)), "miss 0");
  for (const auto& kind : kinds) EXPECT_EQ(Ask(policy, With(Of(search_), kind)), "hit 0");
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
}

TEST_F(CacheKeys, WhatACallersCredentialSaysCountsButNotWhatEachTokenHasAnew) {
  const auto policy = Make("{ttl: 1m}");
  const auto by = [this](std::map<std::string, std::vector<std::string>, std::less<>> claims) {
    Call call = Of(search_);
    call.caller = MakeCaller({.issuer = "i", .subject = "a", .claims = std::move(claims)});
    return call;
  };
  EXPECT_EQ(Ask(policy, by({{"tenant", {"x"}}, {"iat", {"1"}}})), "miss 0");
  EXPECT_EQ(Ask(policy, by({{"tenant", {"y"}}, {"iat", {"1"}}})), "miss 0");
  EXPECT_EQ(Ask(policy, by({{"tenant", {"x"}}, {"iat", {"2"}}, {"jti", {"n"}}})), "hit 0");
  EXPECT_EQ(Ask(policy, by({})), "miss 0");
}

TEST_F(CacheKeys, WhatWasSaidToOneAccountIsNotForTheNext) {
  AccountVersions accounts;
  const auto policy =
      testing::MakePolicy("cache", &cache::Make, "{ttl: 1m}",
                          {.clock = clock_, .metrics = metrics_, .accounts = &accounts});
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_)), "hit 0");
  accounts.Changed("x", "", "ann");
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_)), "hit 0");
  accounts.Changed("x", "", "bob");
  accounts.Changed("y", "", "ann");
  EXPECT_EQ(Ask(policy, Of(search_)), "hit 0");
}

TEST_F(CacheKeys, ParametersInHeadersThatNoSchemaMarksCount) {
  const auto policy = Make("{ttl: 1m}");
  const auto with = [this](std::vector<std::pair<std::string, std::string>> sent) {
    Call call = Of(search_);
    call.header_params.sent = std::move(sent);
    return call;
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  EXPECT_EQ(Ask(policy, with({{"Region", "eu"}})), "miss 0");
  EXPECT_EQ(Ask(policy, with({{"Region", "us"}})), "miss 0");
  EXPECT_EQ(Ask(policy, with({{"Region", "eu"}, {"X", "1"}})), "miss 0");
  EXPECT_EQ(Ask(policy, with({{"Region", "eu"}})), "hit 0");
}

TEST_F(CacheKeys, WhereUrisReadOtherwiseThanBeforeAnAnswerIsAskedForAnew) {
  const auto policy = Make("{ttl: 1m}");
  const testing::UriView verbatim("x", 0), rewritten("x", 7), of_another("y", 7);
  const auto as = [this](const Resolver* endpoint, std::string_view name = {}) {
    Call call = Of(search_);
    call.target.others = endpoint;
    call.endpoint = name;
    return call;
  };
  EXPECT_EQ(Ask(policy, as(&verbatim)), "miss 0");
  EXPECT_EQ(Ask(policy, as(&rewritten)), "miss 0");
  EXPECT_EQ(Ask(policy, as(&rewritten, "other")), "miss 0");
  EXPECT_EQ(Ask(policy, as(&verbatim)), "hit 0");
  EXPECT_EQ(Ask(policy, as(&of_another)), "hit 0");
  EXPECT_EQ(Ask(policy, as(nullptr)), "hit 0");
}

TEST_F(CacheKeys, HowManyAttemptsAnAnswerTookIsSaidToWhoWaitedForThem) {
  const auto policy = Make("{ttl: 1m}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(std::move(**Answer(R"({"_meta":{"switchyard/attempts":2,"own":1}})")));
  };
  const std::string first = Send(policy, Of(search_));
  EXPECT_THAT(first, HasSubstr(R"("switchyard/attempts":2)"));
  EXPECT_EQ(Told(first), "miss 0");
  const std::string second = Send(policy, Of(search_));
  EXPECT_EQ(Told(second), "hit 0");
  EXPECT_THAT(second, Not(HasSubstr("attempts")));
  EXPECT_THAT(second, HasSubstr(R"("own":1)"));
}

}  // namespace
}  // namespace switchyard::policies
