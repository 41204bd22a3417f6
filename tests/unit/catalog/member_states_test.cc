// What a member of a group asked its client, and where the answers may go.
#include "catalog/member_states.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/router.h"
#include "mcp/json_string.h"
#include "support/json.h"
#include "unit/catalog/support.h"
#include "unit/core/support.h"
#include "unit/downstream/loop.h"

namespace switchyard::catalog {
namespace {

using switchyard::testing::FakeService;
using ::testing::HasSubstr;
using testing::Merge;
using ::testing::Not;
using testing::TestServer;
using testing::Tool;
using tests::Parse;
using tests::TextAt;

constexpr const char* kAsks =
    R"({"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}},)"
    R"("requestState":"of a"})";

std::shared_ptr<const Catalog> GroupOf(const std::vector<std::string>& names) {
  Catalog::Options options;
  options.view.groups = {{.name = "g", .prefix = "g", .servers = {"a", "b"}}};
  std::vector<TestServer> servers;
  for (const std::string& name : names) {
    servers.push_back(TestServer(name).Tools({Tool("t")}).Capabilities(R"({"tools":{}})"));
  }
  return Merge(servers, std::move(options));
}

struct MemberStatesTest : ::testing::Test {
  downstream::Loop loop;
  Sealer sealer{Sealer::RandomKey()};
  std::map<std::string, std::shared_ptr<FakeService>, std::less<>> servers = {
      {"a", std::make_shared<FakeService>()}, {"b", std::make_shared<FakeService>()}};
  Router router{GroupOf({"a", "b"}),
                [this](std::string_view name) -> std::shared_ptr<Service> {
                  const auto found = servers.find(name);
                  return found == servers.end() ? nullptr : found->second;
                },
                loop.deps(),
                nullptr,
                {.sealer = &sealer}};

  MemberStatesTest() {
    servers["a"]->OnResult("tools/call", kAsks);
    servers["b"]->OnResult("tools/call", R"({"content":[]})");
  }
  // The response, or the error's message.
  std::string Answered(const std::string& more) {
    Call call;
    call.message =
        mcp::Message::Make("5", "tools/call", R"({"name":"g__t","arguments":{})" + more + "}");
    call.client = std::make_shared<Client>();
    call.caller = MakeCaller({.issuer = "i", .subject = caller, .client = "c"});
    router.Resolve(call);
    Result<ReplyPtr> reply = loop.Run(router.Handle(call));
    if (!reply) {
      error = reply.error();
      return error.message;
    }
    const mcp::Message* whole = (*reply)->Whole();
    return whole == nullptr ? "" : whole->ToText();
  }
  std::string StateOfA() { return mcp::Quote(TextAt(Parse(Answered("")), "/result/requestState")); }
  static std::string With(const std::string& state) {
    return R"(,"inputResponses":{"k":{"roots":[]}},"requestState":)" + state;
  }

  std::string caller = "alice";
  Error error;
};

TEST_F(MemberStatesTest, AnswersGoToTheMemberThatAsked) {
  const std::string state = StateOfA();
  EXPECT_THAT(state, Not(HasSubstr("of a"))) << "sealed";
  EXPECT_THAT(Answered(With(state)), HasSubstr("input_required"));
  EXPECT_THAT(servers["a"]->last_call->message, HasSubstr(R"("requestState":"of a")"));
}

TEST_F(MemberStatesTest, AnswersGoToNobodyWhenTheMemberThatAskedIsGone) {
  const std::string state = StateOfA();
  router.Update(GroupOf({"b"}));
  EXPECT_THAT(Answered(With(state)), HasSubstr("server a, which asked, "));
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_TRUE(servers["b"]->seen.empty()) << "they are for a alone";
  EXPECT_EQ(servers["a"]->seen.size(), 1U);
  EXPECT_THAT(Answered(""), HasSubstr("content")) << "a call that answers nothing";
}

TEST_F(MemberStatesTest, AnswersWithAStateThatIsNotOursGoToNobody) {
  const std::string state = StateOfA();
  for (const std::string& more : {With(R"("of a")"), With(state.substr(0, state.size() - 3) + "\""),
                                  With("7"), std::string(R"(,"inputResponses":{"k":{"roots":[]}})"),
                                  std::string(R"(,"requestState":"of b")")}) {
    EXPECT_THAT(Answered(more), HasSubstr("requestState is not what the gateway gave")) << more;
    EXPECT_EQ(error.code, Code::kInvalid);
  }
  EXPECT_EQ(servers["a"]->seen.size(), 1U);
  EXPECT_TRUE(servers["b"]->seen.empty());
}

// As policies give them: the state within after "p:", none of a question of their own.
std::optional<std::string> WithinPolicys(std::string_view state) {
  if (!state.starts_with("p:")) return std::nullopt;
  return std::string(state.substr(2));
}

TEST_F(MemberStatesTest, AreFoundWithinThoseOfPolicies) {
  Router with_policies{GroupOf({"a", "b"}),
                       [this](std::string_view name) { return servers.find(name)->second; },
                       loop.deps(),
                       nullptr,
                       {.sealer = &sealer, .state_within = WithinPolicys}};
  Call call;
  call.client = std::make_shared<Client>();
  call.caller = MakeCaller({.issuer = "i", .subject = caller, .client = "c"});
  const auto resolve = [&](const std::string& state) {
    call.message = mcp::Message::Make(
        "5", "tools/call", R"({"name":"g__t","arguments":{},"requestState":)" + state + "}");
    with_policies.Resolve(call);
    return std::string(call.target.server);
  };
  const std::string of_a = TextAt(Parse(Answered("")), "/result/requestState");
  EXPECT_EQ(resolve(mcp::Quote("p:" + of_a)), "a");
  EXPECT_EQ(resolve(mcp::Quote("p:" + of_a + "x")), "") << "of nobody";
  EXPECT_EQ(resolve(mcp::Quote("p:")), "a") << "a policy's own question: whoever is best";
  // The policy that knows it did not take it off: no member sees it.
  const std::size_t seen = servers["a"]->seen.size();
  for (const std::string& left : {std::string("p:"), "p:" + of_a}) {
    resolve(mcp::Quote(left));
    const Result<ReplyPtr> reply = loop.Run(with_policies.Handle(call));
    ASSERT_FALSE(reply) << left;
    EXPECT_EQ(reply.error().code, Code::kInvalid);
  }
  EXPECT_EQ(servers["a"]->seen.size(), seen);
  with_policies.Update(GroupOf({"b"}));
  EXPECT_EQ(resolve(mcp::Quote("p:" + of_a)), "");
  const Result<ReplyPtr> gone = loop.Run(with_policies.Handle(call));
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message, HasSubstr("server a, which asked, "));
}

// To the byte: nobody learns by an answer that somebody was asked, or by whom.
TEST_F(MemberStatesTest, AForeignStateReadsLikeOneThatWasMadeUp) {
  const std::string state = StateOfA();
  caller = "bob";
  const std::string foreign = Answered(With(state));
  const Error told = error;
  EXPECT_EQ(foreign, Answered(With(R"("nobody gave this")")));
  EXPECT_EQ(told.code, error.code);
  EXPECT_EQ(told.data, error.data);
  EXPECT_EQ(servers["a"]->seen.size(), 1U);
  EXPECT_TRUE(servers["b"]->seen.empty());
  router.Update(GroupOf({"b"}));
  EXPECT_EQ(foreign, Answered(With(state))) << "and whether who asked is there";
}

}  // namespace
}  // namespace switchyard::catalog
