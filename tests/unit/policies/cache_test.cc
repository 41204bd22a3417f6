// The policy with a service that does what a test says.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/cache_fixture.h"

namespace switchyard::policies {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Answer;
using testing::Broken;
using testing::CachePolicy;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::MakePolicy;
using testing::Parsed;
using testing::Progress;
using testing::Tool;

TEST_F(CachePolicy, TheSecondEqualCallNeverReachesTheServer) {
  const auto policy = Make("{ttl: 1m}");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"a":1,"b":"é"})")), "miss 0");
  clock_.Advance(milliseconds(1500));
  const std::string hit = Send(policy, Of(search_, R"({ "b" : "\u00e9", "a": 1 })"));
  EXPECT_EQ(Told(hit), "hit 1500");
  EXPECT_THAT(hit, HasSubstr(R"("id":7)"));
  EXPECT_THAT(hit, HasSubstr(R"("n":1)"));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_EQ(Ask(policy, Of(search_, R"({"a":2,"b":"é"})")), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"a":1,"a":2})")), "none") << "two readers, two values";
  clock_.Advance(minutes(1));
  EXPECT_EQ(Ask(policy, Of(search_, R"({"a":1,"b":"é"})")), "miss 0");
  const std::string text = metrics_.Serialize();
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_calls_total{server="x",outcome="hit"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_calls_total{server="x",outcome="miss"} 3)"));
  EXPECT_THAT(text, HasSubstr("switchyard_cache_entries 2\n"));
}

TEST_F(CachePolicy, IsOffUnlessConfiguredAndKeepsNothingWithoutATime) {
  const auto policy = Make("{}");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(policy, Of(search_)), "none");
  const auto off = Make("{enabled: false, ttl: 1m}");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(off, Of(search_)), "none");
  EXPECT_EQ(service_.calls, 4);
}

TEST_F(CachePolicy, OnlyToolsThatAreSaidToChangeNothingAreKept) {
  const auto policy = Make("{ttl: 1m, allow: ['get_*', send_report]}");
  const auto kept = [&](const Definition& tool) {
    Ask(policy, Of(tool));
    return Ask(policy, Of(tool)) == "hit 0";
  };
  const Annotations none{}, reads{.read_only = true}, repeats{.idempotent = true};
  EXPECT_TRUE(kept(Tool("look", reads)));
  EXPECT_FALSE(kept(Tool("look_again", repeats))) << "what may be repeated may write";
  EXPECT_FALSE(kept(Tool("unknown", none)));
  EXPECT_TRUE(kept(Tool("get_page", none))) << "the operator says so";
  EXPECT_FALSE(kept(Tool("send_mail", reads))) << "whatever the hints say";
  EXPECT_FALSE(kept(Tool("get_and_delete", reads))) << "a glob is no full name";
  EXPECT_TRUE(kept(Tool("send_report", none))) << "named by its full name";
  const auto trusting = Make("{ttl: 1m, hints: [idempotent]}");
  const Definition idempotent = Tool("look", repeats), reading = Tool("look", reads);
  Ask(trusting, Of(idempotent));
  EXPECT_EQ(Ask(trusting, Of(idempotent)), "hit 0");
  const auto suspicious = Make("{ttl: 1m, hints: []}");
  Ask(suspicious, Of(reading));
  EXPECT_EQ(Ask(suspicious, Of(reading)), "none");
}

TEST_F(CachePolicy, CallersShareOnlyWhatTheServerSaysIsPublic) {
  const auto policy = Make("{ttl: 1m}");
  EXPECT_EQ(Ask(policy, Of(search_, "{}", "ann")), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_, "{}", "bob")), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_, "{}", "bob")), "hit 0");
  Call scoped = Of(search_, "{}", "bob");
  scoped.caller = MakeCaller({.subject = "bob", .scopes = {"admin"}});
  EXPECT_EQ(Ask(policy, std::move(scoped)), "miss 0");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(std::move(**Answer(R"({"cacheScope":"public"})")));
  };
  EXPECT_EQ(Ask(policy, Of(search_, R"({"q":1})", "ann")), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"q":1})", "bob")), "hit 0");
}

TEST_F(CachePolicy, AServersOwnTimeCountsAndIsPassedOnLessTheAge) {
  const auto policy = Make("{max_ttl: 10s}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(std::move(**Answer(R"({"ttlMs":60000,"_meta":{"own":1}})")));
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  clock_.Advance(seconds(9));
  const std::string hit = Send(policy, Of(search_));
  EXPECT_EQ(Told(hit), "hit 9000");
  EXPECT_THAT(hit, HasSubstr(R"("ttlMs":51000)"));
  EXPECT_THAT(hit, HasSubstr(R"("own":1)"));
  clock_.Advance(seconds(1));
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0") << "max_ttl";
}

TEST_F(CachePolicy, ErrorsQuestionsTasksAndStreamsAreNeverKept) {
  const auto policy = Make("{ttl: 1m}");
  for (const char* result :
       {R"({"isError":true})", R"({"resultType":"input_required"})", R"({"resultType":"task"})"}) {
    service_.answer = [result](Call&) -> Result<ReplyPtr> {
      return FakeService::Script(Answer(result));
    };
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(policy, Of(search_)), "none") << result;
  }
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), Answer());
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(policy, Of(search_)), "none");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(
        testing::Step(mcp::Message::MakeError("1", -32602, "no such thing")));
  };
  for (int i = 0; i < 2; ++i) EXPECT_THAT(Send(policy, Of(search_)), HasSubstr("-32602"));
  EXPECT_EQ(service_.calls, 10);
}

TEST_F(CachePolicy, NegativeTtlKeepsErrorsOfTools) {
  const auto policy = Make("{ttl: 1m, negative_ttl: 1s}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(std::move(**Answer(R"({"isError":true})")));
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_)), "hit 0");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
}

TEST_F(CachePolicy, AWriterDropsWhatItsListNamesAlsoWhenItsOutcomeIsUnknown) {
  const Definition write = Tool("write_page"), other = Tool("other");
  // One policy for both kinds of calls, as in a gateway.
  const auto cache = cache::Make({.clock = clock_, .metrics = metrics_});
  const auto reads = Bind(*cache, "{ttl: 1h}"), writes = Bind(*cache, "{invalidates: ['sea*']}");
  const auto ask = [&](const Definition& tool, const PolicySet& set) {
    Call call = Of(tool);
    call.target.policies = &set;
    return Ask(cache, std::move(call));
  };
  const auto answers = service_.answer;
  const auto drops = [&] {
    ask(search_, reads), ask(other, reads);
    EXPECT_EQ(ask(search_, reads), "hit 0");
    ask(write, writes);
    service_.answer = answers;
    EXPECT_EQ(ask(other, reads), "hit 0") << "not in the list";
    return ask(search_, reads) == "miss 0";
  };
  EXPECT_TRUE(drops());
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kDeadline, Origin::kServer, "nobody knows");
  };
  ask(write, writes);
  service_.answer = answers;
  EXPECT_EQ(ask(search_, reads), "miss 0") << "it may have written";
  EXPECT_EQ(ask(search_, reads), "hit 0");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Error{.code = Code::kRateLimited, .retryable = true, .message = "busy"});
  };
  ask(write, writes);
  service_.answer = answers;
  EXPECT_EQ(ask(search_, reads), "hit 0") << "surely nothing ran";
  cache->ServerListed("x");
  EXPECT_EQ(ask(search_, reads), "miss 0") << "the server's lists changed";
  EXPECT_EQ(ask(other, reads), "miss 0");
}

TEST_F(CachePolicy, WhatWasAskedBeforeAWriteIsNotKeptAfterIt) {
  const auto cache = cache::Make({.clock = clock_, .metrics = metrics_});
  const PolicySet set = Bind(*cache, "{ttl: 1h}");
  const auto ask = [&] {
    Call call = Of(search_);
    call.target.policies = &set;
    return Ask(cache, std::move(call));
  };
  const auto answers = service_.answer;
  service_.answer = [&](Call& call) {
    cache->ServerListed("x");  // it changes while the read is under way
    return answers(call);
  };
  EXPECT_EQ(ask(), "miss 0");
  service_.answer = answers;
  EXPECT_EQ(ask(), "miss 0");
  EXPECT_EQ(ask(), "hit 0");
}

TEST_F(CachePolicy, AnOldAnswerStandsInForAnErrorAsLongAsItsWindow) {
  const auto policy = Make("{ttl: 1s, stale_if_error: 1m, stale_while_open: 1h}");
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  const auto fails = [&](Code code, Origin origin) {
    service_.answer = [=](Call&) -> Result<ReplyPtr> { return Failure(code, origin, "broken"); };
    return Ask(policy, Of(search_));
  };
  clock_.Advance(seconds(30));
  EXPECT_EQ(fails(Code::kUnavailable, Origin::kServer), "stale 30000");
  EXPECT_EQ(fails(Code::kDeadline, Origin::kServer), "stale 30000");
  EXPECT_EQ(fails(Code::kNotFound, Origin::kServer), "error: broken");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Broken(Code::kProtocol, "cut in the middle"));
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "stale 30000");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Step(mcp::Message::MakeError("1", -32603, "crashed")));
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "stale 30000");
  clock_.Advance(minutes(5));
  EXPECT_EQ(fails(Code::kUnavailable, Origin::kServer), "error: broken");
  EXPECT_EQ(fails(Code::kUnavailable, Origin::kGateway), "stale 330000") << "stale_while_open";
  clock_.Advance(hours(1));
  EXPECT_EQ(fails(Code::kUnavailable, Origin::kGateway), "error: broken");
}

TEST_F(CachePolicy, AgesOfWhatIsGivenAreInMetrics) {
  const auto policy = Make("{ttl: 1m, stale_if_error: 1h}");
  EXPECT_EQ(Ask(policy, Of(search_)), "miss 0");
  clock_.Advance(seconds(3));
  EXPECT_EQ(Ask(policy, Of(search_)), "hit 3000");
  clock_.Advance(seconds(597));
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "broken");
  };
  EXPECT_EQ(Ask(policy, Of(search_)), "stale 600000");
  const std::string text = metrics_.Serialize();
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_age_seconds_bucket{le="1"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_age_seconds_bucket{le="5"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_age_seconds_bucket{le="300"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(switchyard_cache_age_seconds_bucket{le="900"} 2)"));
  EXPECT_THAT(text, HasSubstr("switchyard_cache_age_seconds_sum 603\n"));
}

TEST_F(CachePolicy, ATemplateSaysWhichArgumentsCount) {
  const auto policy = Make("{ttl: 1m, key: 'validate:{start}:{range.end}'}");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"start":1,"range":{"end":"x"},"trace":1})")), "miss 0");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"trace":2,"range":{"end":"x"},"start":1})")), "hit 0");
  EXPECT_EQ(Ask(policy, Of(search_, R"({"start":"1","range":{"end":"x"}})")), "miss 0");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(policy, Of(search_, R"({"start":1})")), "none");
}

TEST_F(CachePolicy, BadSettingsSayWhy) {
  const auto problems = [](const std::string& yaml) { return testing::ProblemsOf("cache", yaml); };
  EXPECT_THAT(problems("{ttl: 1m, invalidates: [x]}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{ttl: 1m, invalidates: [x], methods: [resources/read]}"),
              ::testing::IsEmpty());
  EXPECT_THAT(problems("{ttl: 1m, methods: []}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{server_ttl: false, stale_if_error: 1m, stale_while_open: 1m}"),
              ::testing::SizeIs(2));
  EXPECT_THAT(problems("{key: '{a'}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{key: '{}'}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{hints: [destructive]}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{methods: [tools/list]}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{max_bytes: 1MiB, max_entry: 1MiB}"), ::testing::SizeIs(1));
  EXPECT_THAT(problems("{ttl: 1m, allow: [a], hints: [], methods: [prompts/get], key: 'k{a}'}"),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace switchyard::policies
