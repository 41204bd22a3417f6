#include "core/chain.h"

#include <gtest/gtest.h>

#include "unit/core/support.h"

namespace switchyard {
namespace {

using testing::FakeService;
using testing::Notification;
using testing::Pulled;
using testing::ResultOf;
using testing::Script;
using testing::ScriptedReply;

struct ChainTest : ::testing::Test {
  net::io_context context{1};
  FakeService innermost;
  std::string steps;
  std::size_t slots = 0;
  const PolicySet* set = nullptr;  // of the calls

  class Marks final : public Policy {
   public:
    Marks(ChainTest& test, std::string name, bool refuses = false)
        : test_(test), name_(std::move(name)), refuses_(refuses) {}
    Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
      test_.steps += name_ + "> ";
      if (refuses_) co_return Failure(Code::kForbidden, Origin::kGateway, "no");
      Result<ReplyPtr> reply = co_await next.Handle(call);
      test_.steps += "<" + name_ + " ";
      co_return reply;
    }

   private:
    ChainTest& test_;
    std::string name_;
    bool refuses_;
  };

  // The slots follow each other in the order in which they are made.
  PlacedPolicy Policy(std::string name, bool refuses = false) {
    return {.policy = std::make_shared<Marks>(*this, std::move(name), refuses), .slot = slots++};
  }

  Result<ReplyPtr> Handle(Service& service) {
    Result<ReplyPtr> got;
    Spawn(context.get_executor(), "call",
          [](Service& s, Result<ReplyPtr>& to, const PolicySet* goes_by) -> Task<void> {
            Call call;
            call.message = mcp::Message::Make("1", "tools/call", "{}");
            call.target.policies = goes_by;
            to = co_await s.Handle(call);
          }(service, got, set));
    context.restart();
    context.run();
    return got;
  }
};

TEST_F(ChainTest, RunsPoliciesOutermostFirst) {
  innermost.OnResult("tools/call", "{}");
  Chain chain({Policy("a"), Policy("b"), Policy("c")}, innermost);
  EXPECT_TRUE(Handle(chain));
  EXPECT_EQ(steps, "a> b> c> <c <b <a ");
  EXPECT_EQ(innermost.seen.size(), 1U);
}

TEST_F(ChainTest, WithoutPoliciesIsTheInnermost) {
  innermost.OnResult("tools/call", "{}");
  Chain chain({}, innermost);
  EXPECT_TRUE(Handle(chain));
  EXPECT_EQ(innermost.seen.size(), 1U);
}

TEST_F(ChainTest, WhatIsOffForACallIsNoneOfItsWay) {
  innermost.OnResult("tools/call", "{}");
  Chain chain({Policy("a"), Policy("b"), Policy("c"), Policy("d")}, innermost);
  const PolicySet some({}, PolicySet::Slots("1010")), none({}, PolicySet::Slots("1111"));
  set = &some;
  EXPECT_TRUE(Handle(chain));
  EXPECT_EQ(steps, "a> c> <c <a ");
  set = &none;
  EXPECT_TRUE(Handle(chain));
  EXPECT_EQ(steps, "a> c> <c <a ");
  EXPECT_EQ(innermost.seen.size(), 2U);
}

TEST_F(ChainTest, ACallThatIsSentOnInPlaceOfAnotherGoesByItsOwnSettings) {
  innermost.OnResult("tools/call", "{}");
  const PolicySet before({}, PolicySet::Slots("010")), after({}, PolicySet::Slots("100"));
  class Sends final : public switchyard::Policy {
   public:
    explicit Sends(const PolicySet& to) : to_(to) {}
    Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
      call.target.policies = &to_;
      return next.Handle(call);
    }

   private:
    const PolicySet& to_;
  };
  const PlacedPolicy sends{.policy = std::make_shared<Sends>(after), .slot = slots++};
  Chain chain({sends, Policy("b"), Policy("c")}, innermost);
  set = &before;
  EXPECT_TRUE(Handle(chain));
  EXPECT_EQ(steps, "b> <b ");
}

TEST_F(ChainTest, ARefusalIsSeenByThoseOutsideOnly) {
  Chain chain({Policy("a"), Policy("b", true), Policy("c")}, innermost);
  const Result<ReplyPtr> reply = Handle(chain);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kForbidden);
  EXPECT_EQ(steps, "a> b> <a ");
  EXPECT_TRUE(innermost.seen.empty());
}

struct HeldTest : ChainTest {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  std::shared_ptr<int> token = std::make_shared<int>(1);
  std::weak_ptr<int> watched = token;
  ReplyPtr held = HoldUntilEnd(std::make_unique<ScriptedReply>(script), std::move(token));

  Pulled Next() {
    Pulled got;
    Spawn(context.get_executor(), "pull",
          [](Reply& reply, Pulled& to) -> Task<void> { to = co_await reply.Next(); }(*held, got));
    context.restart();
    context.poll();
    return got;
  }
};

TEST_F(HeldTest, HoldsThroughNotificationsAndReleasesWithTheResponse) {
  script->Say(Notification("notifications/message", R"({"level":"info"})"));
  EXPECT_TRUE(Next()->has_value());
  EXPECT_FALSE(watched.expired());
  script->Say(ResultOf("{}"));
  EXPECT_TRUE(Next()->has_value());
  EXPECT_TRUE(watched.expired()) << "held while the client reads the last message";
  EXPECT_TRUE(script->dropped);
}

TEST_F(HeldTest, ReleasesWithAnErrorAndWithTheEnd) {
  script->Fail(Error{.code = Code::kUnavailable, .message = "gone"});
  EXPECT_FALSE(Next());
  EXPECT_TRUE(watched.expired());

  script = std::make_shared<Script>();
  auto other = std::make_shared<int>(2);
  watched = other;
  held = HoldUntilEnd(std::make_unique<ScriptedReply>(script), std::move(other));
  script->End();
  EXPECT_FALSE(Next()->has_value());
  EXPECT_TRUE(watched.expired());
}

TEST_F(HeldTest, ReleasesWhenTheReplyIsDroppedAfterTheWorkBehindIt) {
  struct Token {
    std::shared_ptr<Script> script;
    bool* after;
    Token(std::shared_ptr<Script> s, bool* a) : script(std::move(s)), after(a) {}
    Token(Token&& other) noexcept = default;
    ~Token() {
      if (script != nullptr) *after = script->dropped;
    }
  };
  bool after = false;
  held = HoldUntilEnd(std::make_unique<ScriptedReply>(script), Token(script, &after));
  held = nullptr;
  EXPECT_TRUE(after);
}

TEST_F(HeldTest, AReplyOfOneMessageGivesItOnceAndEnds) {
  held = ReplyWith(ResultOf("{}"));
  EXPECT_TRUE(Next()->has_value());
  EXPECT_FALSE(Next()->has_value());
}

}  // namespace
}  // namespace switchyard
