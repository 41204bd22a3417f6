#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "core/resolver.h"
#include "mcp/error_map.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::Parsed;
using testing::Step;

Error Unsent() { return {.code = Code::kUnavailable, .retryable = true, .message = "refused"}; }
Error Broke() { return {.code = Code::kUnavailable, .message = "closed"}; }

Definition ToolOf(const std::string& server, const std::string& name, bool reads) {
  return {.kind = ItemKind::kTool,
          .server = server,
          .name = name,
          .exposed = server + "__" + name,
          .json = "{}",
          .annotations = {.read_only = reads}};
}

class Offer final : public Resolver {
 public:
  void Add(const std::string& server, const std::string& name, bool reads = false) {
    tools_.emplace(server + "__" + name, ToolOf(server, name, reads));
  }
  const Definition* FindToolOf(std::string_view server, std::string_view tool) const override {
    const std::string name(server.empty() ? std::string(tool)
                                          : std::string(server) + "__" + std::string(tool));
    const auto found = tools_.find(name);
    return found == tools_.end() ? nullptr : &found->second;
  }
  const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const override { return nobodys_; }
  std::uint64_t UriViewOf(std::string_view server) const override {
    return static_cast<std::uint64_t>(server.front());
  }

 private:
  std::map<std::string, Definition> tools_;
  std::shared_ptr<const PolicySet> nobodys_;
};

class FallbackPolicy : public ::testing::Test {
 protected:
  FallbackPolicy() {
    for (const char* server : {"x", "b", "c"}) offer_.Add(server, "t");
    offer_.Add("reader", "t", true);
    service_.answer = [this](Call& call) -> Result<ReplyPtr> {
      asked_.push_back(call.target.server.empty() ? "?" : std::string(call.target.server));
      deadlines_.push_back(call.deadline);
      views_ += static_cast<char>(call.target.others->UriViewOf(call.target.server));
      const auto says = says_.find(asked_.back());
      if (says == says_.end()) return ReplyWith(std::move(**Answer(R"({"n":1})")));
      return Failure(says->second);
    };
  }
  void Make(const std::string& yaml) {
    policy_ = testing::MakePolicy("fallback", &fallback::Make, yaml,
                                  {.clock = clock_, .metrics = metrics_});
  }
  // The target is one of these, which are a group; the first is asked first.
  void Group(const std::vector<const char*>& servers) {
    listed_ = ToolOf(servers.front(), "t", false);
    for (const char* server : servers) {
      listed_.members.push_back(std::make_shared<Definition>(ToolOf(server, "t", false)));
      listed_.members.back()->listed = &listed_;
    }
  }
  // The response as text, or the error as its message.
  std::string Answered() {
    Call call = testing::ToolCall();
    call.target.name = "t";
    call.target.definition =
        listed_.members.empty() ? offer_.FindToolOf(from_, "t") : listed_.members.front().get();
    call.target.server = from_;
    call.target.others = &offer_;
    call.deadline = deadline_;
    std::optional<Result<ReplyPtr>> reply = loop_.Run(policy_->Handle(call, service_));
    if (!reply) return "waits";
    if (!*reply) {
      error_ = reply->error();
      return "error: " + error_.message;
    }
    std::optional<Step> first = loop_.Run((**reply)->Next());
    return first && *first ? (**first)->ToText() : "broke";
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Offer offer_;
  Definition listed_ = ToolOf("x", "t", false);
  FakeService service_;
  Loop loop_;
  std::shared_ptr<const Policy> policy_;
  std::string from_ = "x";
  Deadline deadline_;
  std::map<std::string, Error> says_;
  std::vector<std::string> asked_;
  std::vector<Deadline> deadlines_;
  std::string views_;  // of URIs in answers
  Error error_;
};

constexpr const char* kBThenC = "{alternatives: [{server: b}, {server: c}]}";

TEST_F(FallbackPolicy, AsksInOrderUntilOneAnswers) {
  Make(kBThenC);
  says_ = {{"x", Unsent()}, {"b", Unsent()}};
  EXPECT_THAT(Answered(), HasSubstr(R"("switchyard/fallback":{"kind":"server","from":"c__t")"));
  EXPECT_THAT(asked_, ElementsAre("x", "b", "c"));
}

TEST_F(FallbackPolicy, UrisOfAnAlternativeReadAsThoseOfItsServer) {
  Make(kBThenC);
  says_ = {{"x", Unsent()}, {"b", Unsent()}};
  Answered();
  EXPECT_EQ(views_, "xbc");
  Group({"x", "b"});
  Answered();
  EXPECT_EQ(views_, "xbcxbbc");
}

TEST_F(FallbackPolicy, StopsAtAnAlternativeThatMayHaveRun) {
  Make(kBThenC);
  says_ = {{"x", Unsent()}, {"b", Broke()}};
  EXPECT_EQ(Answered(), "error: refused; fallback b__t: closed");
  EXPECT_THAT(asked_, ElementsAre("x", "b"));
  EXPECT_FALSE(error_.retryable) << "an alternative may have run";
  EXPECT_THAT(error_.data, HasSubstr(R"("fallback":[{"from":"b__t","error":"closed"}])"));
}

TEST_F(FallbackPolicy, BelievesAReaderUnlessToldOtherwise) {
  from_ = "reader";
  says_ = {{"reader", Broke()}};
  Make(kBThenC);
  EXPECT_THAT(Answered(), HasSubstr("b__t"));
  Make("{alternatives: [{server: b}], trust_hints: false}");
  EXPECT_EQ(Answered(), "error: closed");
}

TEST_F(FallbackPolicy, GoesNowhereWhenTheCallWasCancelled) {
  Make(kBThenC);
  says_ = {{"x", {.code = Code::kCancelled, .retryable = true, .message = "gone"}}};
  EXPECT_EQ(Answered(), "error: gone");
  says_ = {{"x", Unsent()},
           {"b", {.code = Code::kCancelled, .retryable = true, .message = "gone"}}};
  asked_.clear();
  EXPECT_EQ(Answered(), "error: gone");
  EXPECT_THAT(asked_, ElementsAre("x", "b"));
}

TEST_F(FallbackPolicy, AllShareOneDeadline) {
  Make("{alternatives: [{server: b}, {server: c}], within: 10s}");
  deadline_ = Deadline::In(clock_, seconds(60));
  says_ = {{"x", Unsent()}, {"b", Unsent()}};
  Answered();
  ASSERT_EQ(deadlines_.size(), 3U);
  EXPECT_EQ(deadlines_[0].at(), clock_.Now() + seconds(60));
  EXPECT_EQ(deadlines_[1].at(), clock_.Now() + seconds(10));
  EXPECT_EQ(deadlines_[2].at(), clock_.Now() + seconds(10));
  deadline_ = Deadline(clock_.Now());
  asked_.clear();
  EXPECT_EQ(Answered(), "error: refused") << "no time is left";
  EXPECT_THAT(asked_, ElementsAre("x"));
}

TEST_F(FallbackPolicy, GoesOnToTheNextMemberWhateverTheErrorOfOneIs) {
  Make("{on: [unavailable]}");
  Group({"x", "b", "c"});
  const Error big{.code = Code::kTooLarge, .retryable = true, .message = "big"};
  says_ = {{"x", Unsent()}, {"b", big}};
  EXPECT_THAT(Answered(), HasSubstr(R"("from":"c")"));
  EXPECT_THAT(asked_, ElementsAre("x", "b", "c"));
  says_ = {{"x", Unsent()}, {"b", big}, {"c", Broke()}};
  EXPECT_EQ(Answered(), "error: refused; fallback server b: big; fallback server c: closed");
  EXPECT_FALSE(error_.retryable);
  says_ = {{"x", Unsent()}, {"b", Broke()}};
  asked_.clear();
  EXPECT_EQ(Answered(), "error: refused; fallback server b: closed");
  EXPECT_THAT(asked_, ElementsAre("x", "b")) << "it may have run";
  says_ = {{"x", Unsent()},
           {"b", {.code = Code::kCancelled, .retryable = true, .message = "gone"}}};
  EXPECT_EQ(Answered(), "error: gone");
}

TEST_F(FallbackPolicy, GoesOnAfterAMemberThatRefusedTheCallBeforeAnythingRan) {
  Make("{}");
  Group({"x", "b", "c"});
  const std::vector<Error> refusals = {
      {.code = Code::kForbidden, .message = "not with these scopes"},
      {.code = Code::kNotFound, .message = "unknown tool: t"},
      {.code = Code::kUnavailable,
       .origin = Origin::kServer,
       .message = "403",
       .data = R"({"status":403})"}};
  for (const Error& refusal : refusals) {
    says_ = {{"x", Unsent()}, {"b", refusal}};
    asked_.clear();
    EXPECT_THAT(Answered(), HasSubstr(R"("from":"c")")) << refusal.message;
    EXPECT_THAT(asked_, ElementsAre("x", "b", "c"));
  }
  says_ = {{"x", Unsent()}, {"b", refusals.front()}, {"c", refusals.front()}};
  Answered();
  EXPECT_TRUE(error_.retryable) << "its outcome is known: nothing ran";
}

TEST_F(FallbackPolicy, MembersShareTheDeadlineToo) {
  Make("{within: 10s, alternatives: [{server: c}]}");
  Group({"x", "b"});
  deadline_ = Deadline::In(clock_, seconds(60));
  says_ = {{"x", Unsent()}, {"b", Unsent()}};
  Answered();
  EXPECT_THAT(asked_, ElementsAre("x", "b", "c"));
  EXPECT_EQ(deadlines_.at(0).at(), clock_.Now() + seconds(60));
  EXPECT_EQ(deadlines_.at(1).at(), clock_.Now() + seconds(10));
  EXPECT_EQ(deadlines_.at(2).at(), clock_.Now() + seconds(10));
}

TEST_F(FallbackPolicy, DoesNothingForReasonsThatAreNotItsOwn) {
  Make("{alternatives: [{server: b}], on: [open, timeout]}");
  says_ = {{"x", Unsent()}};
  EXPECT_EQ(Answered(), "error: refused");
  says_ = {{"x", {.code = Code::kDeadline, .retryable = true, .message = "late"}}};
  EXPECT_THAT(Answered(), HasSubstr("b__t"));
}

// Of any three servers with any fates: asked in order, none after an answer, none after one that
// may have run; the first answer or else the first error.
TEST(FallbackProperty, NeverRunsTwiceWhatMayHaveRun) {
  FastRandom random(34);
  for (int round = 0; round < 2000; ++round) {
    std::map<std::string, Error> says;
    for (const char* server : {"x", "b", "c"}) {
      const std::uint64_t fate = random.Next() % 3;
      if (fate == 0) says.emplace(server, Unsent());
      if (fate == 1) says.emplace(server, Broke());
    }
    std::vector<std::string> expected;
    bool answered = false;
    for (const char* server : {"x", "b", "c"}) {
      expected.emplace_back(server);
      answered = !says.contains(server);
      if (answered || !says.at(server).retryable) break;
    }
    std::vector<std::string> asked;
    Offer offer;
    for (const char* server : {"x", "b", "c"}) offer.Add(server, "t");
    FakeService service;
    service.answer = [&](Call& call) -> Result<ReplyPtr> {
      asked.emplace_back(call.target.server);
      const auto fate = says.find(asked.back());
      if (fate != says.end()) return Failure(fate->second);
      return ReplyWith(std::move(**Answer()));
    };
    const ManualClock clock;
    switchyard::telemetry::Metrics metrics;
    const auto policy = testing::MakePolicy("fallback", &fallback::Make, kBThenC,
                                            {.clock = clock, .metrics = metrics});
    Call call = testing::ToolCall();
    call.target.name = "t";
    call.target.definition = offer.FindToolOf("x", "t");
    call.target.others = &offer;
    Loop loop;
    const auto reply = loop.Run(policy->Handle(call, service));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(asked, expected);
    EXPECT_EQ(reply->has_value(), answered);
  }
}

TEST(FallbackSettings, SaysWhatIsWrongWithThem) {
  using testing::ProblemsOf;
  const auto problem = [](const std::string& alternative) {
    const auto problems = ProblemsOf("fallback", "{alternatives: [" + alternative + "]}");
    return problems.empty() ? std::string() : problems.front();
  };
  EXPECT_EQ(problem("{server: b}"), "");
  EXPECT_EQ(problem("{}"),
            "alternatives[0]: must be one of: server (and tool), tool, stale, answer");
  EXPECT_EQ(problem("{server: b, stale: 1h}"),
            "alternatives[0]: must be one of: server (and tool), tool, stale, answer");
  EXPECT_EQ(problem("{answer: {}}"),
            "alternatives[0].answer: has no content: needs text, structured or both");
  EXPECT_EQ(
      problem("{answer: {structured: [1]}}"),
      "alternatives[0].answer.structured: must be a mapping: structured content is an object");
  EXPECT_EQ(problem("{stale: 1h, arguments: {a: 1}}"),
            "alternatives[0].arguments: are for another tool: needs server or tool");
  EXPECT_THAT(problem("{tool: t, arguments: {a: '{'}}"),
              HasSubstr("alternatives[0].arguments: a field reads {name}"));
  EXPECT_THAT(ProblemsOf("fallback", "{on: []}"), ElementsAre(HasSubstr("on: names no reason")));
  EXPECT_THAT(ProblemsOf("fallback", "{on: [bad]}"), ElementsAre(HasSubstr("bad is none of open")));
}

}  // namespace
}  // namespace switchyard::policies
