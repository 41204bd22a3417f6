#include "downstream/authorized.h"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mailbox.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

using credentials::Grant;
using credentials::GrantPtr;
using credentials::Refusal;
using testing::ElementsAre;
using testing::HasSubstr;

// Answers each request with the next status, and notes with what headers it came.
class Wire final : public Transport {
 public:
  struct Seen {
    std::vector<std::string> headers;
    std::vector<int> statuses;  // of the next requests; then 200
  };
  explicit Wire(Seen& seen) : seen_(seen) {}

  Task<Result<void>> Start() override { co_return Result<void>(); }
  Task<Result<ReplyPtr>> Request(Outgoing out) override {
    const int status = Next(out);
    if (status >= 400) {
      co_return Failure(Code::kUnavailable, Origin::kServer, std::to_string(status));
    }
    co_return ReplyWith(*mcp::Message::Parse(R"({"jsonrpc":"2.0","id":1,"result":{}})"));
  }
  Task<Result<void>> Notify(Outgoing out) override {
    Next(out);
    co_return Result<void>();
  }
  Task<Result<void>> EndSession(Outgoing out) override {
    Next(out);
    co_return Result<void>();
  }
  void OnUnsolicited(Unsolicited) override {}
  void OnDown(std::function<void(Error)>) override {}
  bool cancels_by_closing() const override { return true; }
  Task<void> Close() override { co_return; }

 private:
  int Next(const Outgoing& out) {
    seen_.headers.emplace_back(out.headers);
    int status = 200;
    if (!seen_.statuses.empty()) {
      status = seen_.statuses.front();
      seen_.statuses.erase(seen_.statuses.begin());
    }
    if (out.facts == nullptr) return status;
    out.facts->status = status;
    if (status >= 400) out.facts->challenge = "Bearer x=" + std::to_string(status);
    return status;
  }

  Seen& seen_;
};

class Tokens final : public credentials::Source {
 public:
  explicit Tokens(Executor home) : home_(home) {}
  bool personal() const override { return true; }
  Result<GrantPtr> Find(const Caller* caller) override {
    const auto found = at_hand.find(caller == nullptr               ? "gateway"
                                    : (*caller)->credential.empty() ? (*caller)->subject
                                                                    : (*caller)->credential);
    if (found == at_hand.end()) return Failure(Code::kForbidden, Origin::kGateway, "nobody");
    return found->second;
  }
  Task<Result<GrantPtr>> Obtain(Caller, Refusal refused, Deadline) override {
    refusals.push_back(refused);
    if (throws) throw std::runtime_error("thrown");
    if (hangs) co_await gate.Take();
    if (next.empty()) co_return Failure(Code::kUnavailable, Origin::kServer, "no other");
    GrantPtr grant = Made(next.front());
    next.erase(next.begin());
    co_return grant;
  }
  Executor home() const override { return home_; }
  static GrantPtr Made(const std::string& token) {
    return std::make_shared<const Grant>(Grant{.lines = "T: " + token + "\r\n"});
  }

  std::map<std::string, GrantPtr> at_hand;
  std::vector<std::string> next;
  std::vector<Refusal> refusals;
  bool throws = false, hangs = false;
  Mailbox<bool> gate;

 private:
  const Executor home_;
};

class AuthorizedTest : public testing::Test {
 protected:
  AuthorizedTest() {
    tokens_->at_hand = {{"gateway", Tokens::Made("own")},
                        {"alice", Tokens::Made("a")},
                        {"bob", Tokens::Made("b")},
                        {"late", nullptr}};
  }
  Result<ReplyPtr> Ask(const char* subject, std::optional<Caller> bound = {},
                       HttpFacts* facts = nullptr) {
    Authorized transport(std::make_unique<Wire>(seen_), tokens_, loop_.deps(), std::move(bound));
    const Caller caller = MakeCaller({.subject = subject == nullptr ? "" : subject});
    const mcp::Pieces nothing;
    return loop_.Run(transport.Request({.body = nothing,
                                        .id = "1",
                                        .headers = "Era: e\r\n",
                                        .deadline = {},
                                        .facts = facts,
                                        .caller = subject == nullptr ? nullptr : &caller}));
  }

  static Task<void> Into(AuthorizedTest& test, Caller caller, Deadline deadline,
                         std::optional<Result<ReplyPtr>>& into) {
    Authorized transport(std::make_unique<Wire>(test.seen_), test.tokens_, test.loop_.deps(), {});
    const mcp::Pieces nothing;
    into = co_await transport.Request(
        {.body = nothing, .id = "1", .headers = "", .deadline = deadline, .caller = &caller});
  }

  Loop loop_;
  Wire::Seen seen_;
  std::shared_ptr<Tokens> tokens_ = std::make_shared<Tokens>(loop_.deps().executor());
};

TEST_F(AuthorizedTest, EachRequestGoesOutInTheNameOfItsCaller) {
  EXPECT_TRUE(Ask("alice"));
  EXPECT_TRUE(Ask("bob"));
  EXPECT_TRUE(Ask(nullptr));
  EXPECT_THAT(seen_.headers,
              ElementsAre("Era: e\r\nT: a\r\n", "Era: e\r\nT: b\r\n", "Era: e\r\nT: own\r\n"));
}

TEST_F(AuthorizedTest, WhoHasNothingToShowIsNotSent) {
  EXPECT_EQ(Ask("mallory").error().code, Code::kForbidden);
  EXPECT_TRUE(seen_.headers.empty());
}

TEST_F(AuthorizedTest, ASessionThatIsSomebodysAloneSpeaksForNobodyElse) {
  EXPECT_TRUE(Ask("alice", MakeCaller({.subject = "bob"})));
  EXPECT_TRUE(Ask(nullptr, MakeCaller({.subject = "bob"})));
  EXPECT_THAT(seen_.headers, ElementsAre("Era: e\r\nT: b\r\n", "Era: e\r\nT: b\r\n"));
}

TEST_F(AuthorizedTest, ASessionGoesByWhatItsCallerShowedLast) {
  tokens_->at_hand = {{"old", Tokens::Made("1")}, {"new", Tokens::Made("2")}};
  Authorized transport(std::make_unique<Wire>(seen_), tokens_, loop_.deps(),
                       MakeCaller({.subject = "bob", .credential = "old"}));
  const Caller bob = MakeCaller({.subject = "bob", .credential = "new"});
  const mcp::Pieces nothing;
  for (const Caller* caller :
       {static_cast<const Caller*>(nullptr), &bob, static_cast<const Caller*>(nullptr)}) {
    EXPECT_TRUE(loop_.Run(transport.Request(
        {.body = nothing, .id = "1", .headers = "", .deadline = {}, .caller = caller})));
  }
  EXPECT_THAT(seen_.headers, ElementsAre("T: 1\r\n", "T: 2\r\n", "T: 2\r\n"));
}

TEST_F(AuthorizedTest, WhatIsNotAtHandIsFetchedFirst) {
  tokens_->next = {"fetched"};
  EXPECT_TRUE(Ask("late"));
  EXPECT_THAT(seen_.headers, ElementsAre("Era: e\r\nT: fetched\r\n"));
}

TEST_F(AuthorizedTest, NobodyWaitsForThemBeyondItsDeadline) {
  tokens_->hangs = true;
  std::optional<Result<ReplyPtr>> got;
  const TaskHandle task(loop_.deps().executor(), "test",
                        Into(*this, MakeCaller({.subject = "late"}),
                             Deadline::In(loop_.deps().clock, std::chrono::seconds(5)), got));
  loop_.RunReady();
  EXPECT_FALSE(got);
  loop_.Pass(std::chrono::seconds(5));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, Code::kDeadline);
  tokens_->gate.Put(true);
  loop_.RunReady();
  EXPECT_TRUE(seen_.headers.empty());
}

TEST_F(AuthorizedTest, WhatIsThrownMeanwhileReachesWhoWaits) {
  tokens_->throws = true;
  EXPECT_EQ(Ask("late").error().code, Code::kInternal);
}

TEST_F(AuthorizedTest, AFarewellTakesWhatIsAtHand) {
  tokens_->next = {"fetched"};
  Authorized transport(std::make_unique<Wire>(seen_), tokens_, loop_.deps(), {});
  const mcp::Pieces nothing;
  for (const char* subject : {"alice", "late"}) {
    const Caller caller = MakeCaller({.subject = subject});
    const Result<void> ended = loop_.Run(transport.EndSession(
        {.body = nothing, .id = "", .headers = "", .deadline = {}, .caller = &caller}));
    EXPECT_EQ(ended.has_value(), subject == std::string("alice"));
  }
  EXPECT_THAT(seen_.headers, ElementsAre("T: a\r\n"));
  EXPECT_TRUE(tokens_->refusals.empty());
}

TEST_F(AuthorizedTest, ARefusedRequestIsSentOnceMoreWithAnother) {
  seen_.statuses = {401};
  tokens_->next = {"a2", "a3"};
  HttpFacts facts;
  EXPECT_TRUE(Ask("alice", {}, &facts));
  EXPECT_EQ(facts.status, 200);
  EXPECT_THAT(seen_.headers, ElementsAre("Era: e\r\nT: a\r\n", "Era: e\r\nT: a2\r\n"));
  ASSERT_EQ(tokens_->refusals.size(), 1U);
  EXPECT_EQ(tokens_->refusals[0].status, 401);
  EXPECT_EQ(tokens_->refusals[0].challenge, "Bearer x=401");
  EXPECT_EQ(tokens_->refusals[0].grant, tokens_->at_hand["alice"]);
}

TEST_F(AuthorizedTest, OnceAndNoMore) {
  seen_.statuses = {401, 401, 401};
  tokens_->next = {"a2", "a3"};
  EXPECT_EQ(Ask("alice").error().message, "401");
  EXPECT_EQ(seen_.headers.size(), 2U);
}

TEST_F(AuthorizedTest, WithNothingElseToShowTheRefusalStands) {
  seen_.statuses = {401, 403, 500};
  EXPECT_EQ(Ask("alice").error().message, "no other");
  EXPECT_EQ(Ask("alice").error().message, "403");
  EXPECT_EQ(Ask("alice").error().message, "500");
  EXPECT_EQ(seen_.headers.size(), 3U);
}

}  // namespace
}  // namespace switchyard::downstream
