#include "edge/sessions.h"

#include <vector>

#include <gtest/gtest.h>

namespace switchyard::edge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct SessionsTest : ::testing::Test {
  ManualClock clock;
  Sealer sealer{Sealer::RandomKey()};
  std::vector<std::unique_ptr<Sessions>> workers;
  int told = 0;  // how often one worker told the others something

  Sessions& Worker(Sessions::Options options = {}) {
    const std::size_t own = workers.size();
    workers.push_back(std::make_unique<Sessions>(
        sealer, clock, options, [this, own](const std::function<void(Sessions&)>& run) {
          ++told;
          for (std::size_t i = 0; i < workers.size(); ++i) {
            if (i != own) run(*workers[i]);
          }
        }));
    return *workers.back();
  }

  // As long as that, with a use at one worker every ten minutes.
  void Pass(Duration time, const std::function<void()>& use) {
    for (Duration passed{}; passed < time; passed += minutes(10)) {
      clock.Advance(minutes(10));
      use();
      for (const auto& worker : workers) worker->Tick();
    }
  }

  static Client Someone(std::string name = "agent") {
    return Client{.version = mcp::Version::k2025_06_18,
                  .capabilities = R"({"roots":{}})",
                  .info = R"({"name":"agent","version":"1"})",
                  .name = std::move(name),
                  .session = {}};
  }
};

TEST_F(SessionsTest, AnOpenedSessionIsFoundUnderAVisibleIdThatIsNeverTheSame) {
  Sessions& sessions = Worker();
  const auto session = sessions.Open(Someone(), "team");
  const std::string id = session->client->session;
  EXPECT_EQ(sessions.Find(id, "team"), session);
  EXPECT_NE(sessions.Open(Someone(), "team")->client->session, id);
  for (const unsigned char c : id) EXPECT_TRUE(c > 0x20 && c < 0x7F);
}

TEST_F(SessionsTest, AnyWorkerUnsealsAllThatDoesNotChange) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "team")->client->session;
  const auto found = second.Find(id, "team");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->endpoint, "team");
  EXPECT_EQ(found->client->session, id);
  EXPECT_EQ(found->client->version, mcp::Version::k2025_06_18);
  EXPECT_EQ(found->client->capabilities, R"({"roots":{}})");
  EXPECT_EQ(found->client->info, R"({"name":"agent","version":"1"})");
  EXPECT_EQ(found->client->name, "agent");
  EXPECT_EQ(second.Find(id, "team"), found);
}

TEST_F(SessionsTest, AnotherEndpointOrKeyKnowsNothingOfIt) {
  Sessions& sessions = Worker();
  Sessions& other = Worker();
  const std::string id = sessions.Open(Someone(), "team")->client->session;
  EXPECT_EQ(sessions.Find(id, ""), nullptr);
  EXPECT_EQ(other.Find(id, ""), nullptr);
  EXPECT_EQ(other.Find(id + "A", "team"), nullptr);
  EXPECT_EQ(other.Find("", "team"), nullptr);
  const Sealer foreign(Sealer::RandomKey());
  Sessions stranger(foreign, clock, {}, [](const auto&) {});
  EXPECT_EQ(stranger.Find(id, "team"), nullptr);
}

TEST_F(SessionsTest, AnEndedSessionStaysUnknownOnAllWorkers) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  Sessions& third = Worker();
  const auto session = first.Open(Someone(), "");
  const std::string id = session->client->session;
  ASSERT_NE(second.Find(id, ""), nullptr);
  first.End(id);
  EXPECT_TRUE(session->ended);
  for (Sessions* sessions : {&first, &second, &third}) EXPECT_EQ(sessions->Find(id, ""), nullptr);
  clock.Advance(hours(23));
  for (const auto& worker : workers) worker->Tick();
  EXPECT_EQ(second.Find(id, ""), nullptr);
  second.SetLogLevel(id, "debug");  // does not bring it back
  EXPECT_EQ(third.Find(id, ""), nullptr);
}

TEST_F(SessionsTest, EndingCancelsItsCallsAndItsStreamEverywhere) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  std::string steps;
  first.Find(id, "")->in_flight["1"] = [&] { steps += "a"; };
  second.Find(id, "")->in_flight["2"] = [&] { steps += "b"; };
  second.TakeStream(second.Find(id, ""), &steps, [&] { steps += "s"; });
  first.End(id);
  EXPECT_EQ(steps, "abs");
}

TEST_F(SessionsTest, TheLogLevelReachesWorkersThatDidNotKnowTheSessionYet) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  Sessions& third = Worker();
  const std::string id = first.Open(Someone(), "team")->client->session;
  second.Find(id, "team");
  first.SetLogLevel(id, "warning");
  for (Sessions* sessions : {&first, &second, &third}) {
    EXPECT_EQ(sessions->Find(id, "team")->log_level, "warning");
  }
}

TEST_F(SessionsTest, ACancelFindsTheCallOnWhicheverWorkerServesIt) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  int cancelled = 0;
  second.Find(id, "")->in_flight[R"("x")"] = [&] { ++cancelled; };
  first.Cancel(id, "7");
  first.Cancel("nonsense", R"("x")");
  EXPECT_EQ(cancelled, 0);
  first.Cancel(id, R"("x")");
  EXPECT_EQ(cancelled, 1);
  first.Cancel(id, R"("x")");
  EXPECT_EQ(cancelled, 1);
}

TEST_F(SessionsTest, ASessionHasOneStreamAndTheLastOneHasIt) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  std::string steps;
  const int a = 0, b = 0, c = 0;
  first.TakeStream(first.Find(id, ""), &a, [&] { steps += "a"; });
  first.TakeStream(first.Find(id, ""), &b, [&] { steps += "b"; });
  EXPECT_EQ(steps, "a");
  second.TakeStream(second.Find(id, ""), &c, [&] { steps += "c"; });
  EXPECT_EQ(steps, "ab");
}

TEST_F(SessionsTest, IdleOnesAreDroppedFromMemoryButStillSessions) {
  Sessions& sessions = Worker();
  const std::string id = sessions.Open(Someone(), "")->client->session;
  clock.Advance(minutes(61));
  sessions.Tick();
  EXPECT_EQ(sessions.size(), 0U);
  EXPECT_NE(sessions.Find(id, ""), nullptr);
  EXPECT_EQ(sessions.size(), 1U);
}

TEST_F(SessionsTest, BusyOnesAreNeverDropped) {
  Sessions& sessions = Worker({.max_known = 2});
  const auto calling = sessions.Open(Someone(), "");
  calling->in_flight["1"] = [] {};
  const auto streaming = sessions.Open(Someone(), "");
  sessions.TakeStream(streaming, &streaming, [] {});
  clock.Advance(hours(2));
  for (int i = 0; i < 5; ++i) sessions.Open(Someone(), "");
  sessions.Tick();
  EXPECT_EQ(sessions.Find(calling->client->session, ""), calling);
  EXPECT_EQ(sessions.Find(streaming->client->session, ""), streaming);
}

TEST_F(SessionsTest, WhatAWorkerHasOfASessionStaysWhileItIsInUseAtAnother) {
  const std::shared_ptr<Quota> quota = Quota::Make({.total = 1});
  Sessions& first = Worker({.sessions = quota});
  Sessions& second = Worker({.sessions = quota});
  auto session = first.Open(Someone(), "", 0, std::move(*first.PermitSession(0, "")));
  const std::string id = session->client->session;
  Pass(hours(3), [&] { EXPECT_NE(second.Find(id, ""), nullptr); });
  EXPECT_FALSE(first.PermitSession(0, ""));
  EXPECT_EQ(first.Find(id, ""), session);
  session = nullptr;
  Pass(minutes(80), [] {});
  EXPECT_EQ(first.size() + second.size(), 0U);
  EXPECT_TRUE(first.PermitSession(0, ""));
}

TEST_F(SessionsTest, AStreamThatIsOpenElsewhereIsUseToo) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const auto session = first.Open(Someone(), "");
  const std::string id = session->client->session;
  second.TakeStream(second.Find(id, ""), &id, [] {});
  Pass(hours(3), [] {});
  EXPECT_EQ(first.Find(id, ""), session);
}

TEST_F(SessionsTest, ASessionThatMovedBackIsKeptWhereItWasMeanwhile) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  const auto there = second.Find(id, "");
  Pass(minutes(10), [] {});
  Pass(hours(3), [&] { EXPECT_NE(first.Find(id, ""), nullptr); });
  EXPECT_EQ(second.Find(id, ""), there);
}

TEST_F(SessionsTest, ALogLevelIsKeptAtWorkersThatTheSessionDoesNotUse) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  first.SetLogLevel(id, "warning");
  Pass(hours(3), [&] { EXPECT_NE(first.Find(id, ""), nullptr); });
  EXPECT_EQ(second.Find(id, "")->log_level, "warning");
}

TEST_F(SessionsTest, NothingIsToldOfSessionsThatOneWorkerKnows) {
  Sessions& first = Worker();
  Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  Pass(hours(3), [&] { EXPECT_NE(first.Find(id, ""), nullptr); });
  EXPECT_EQ(told, 0);
}

TEST_F(SessionsTest, ManyAreToldOfInPartsAndOnlyWhileTheyAreUsed) {
  Sessions& first = Worker();
  Sessions& second = Worker();
  std::vector<std::string> ids;
  for (int i = 0; i < 2500; ++i) ids.push_back(first.Open(Someone(), "")->client->session);
  Pass(minutes(40), [] {});
  for (const std::string& id : ids) ASSERT_NE(second.Find(id, ""), nullptr);
  Pass(minutes(50), [] {});
  EXPECT_EQ(told, 3);
  EXPECT_EQ(first.size(), 2500U);
}

TEST_F(SessionsTest, AtTheCapTheLeastRecentlyUsedGoFirst) {
  Sessions& sessions = Worker({.max_known = 20});
  std::vector<std::shared_ptr<Session>> opened;
  for (int i = 0; i < 20; ++i) {
    opened.push_back(sessions.Open(Someone(), ""));
    clock.Advance(minutes(1));
  }
  sessions.Find(opened[0]->client->session, "");  // the oldest, but used just now
  sessions.Open(Someone(), "");
  EXPECT_LE(sessions.size(), 20U);
  EXPECT_EQ(sessions.Find(opened[0]->client->session, ""), opened[0]);
  EXPECT_EQ(sessions.Find(opened[19]->client->session, ""), opened[19]);
  EXPECT_NE(sessions.Find(opened[1]->client->session, ""), opened[1]) << "unsealed anew";
}

TEST_F(SessionsTest, AnIdIsUnknownAfterItsMaximumAgeInMemoryOrNot) {
  Sessions& first = Worker({.forget_after = hours(100)});
  Sessions& second = Worker();
  const std::string id = first.Open(Someone(), "")->client->session;
  clock.Advance(hours(20));
  ASSERT_NE(second.Find(id, ""), nullptr);
  clock.Advance(hours(4) + std::chrono::seconds(2));
  EXPECT_EQ(first.Find(id, ""), nullptr);
  EXPECT_EQ(second.Find(id, ""), nullptr);
  EXPECT_EQ(Worker().Find(id, ""), nullptr);
  first.Tick();
  EXPECT_EQ(first.size(), 0U);
}

TEST_F(SessionsTest, EndedIdsAreKeptWithinABound) {
  Sessions& sessions = Worker({.max_ended = 3});
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(sessions.Open(Someone(), "")->client->session);
  for (const std::string& id : ids) sessions.End(id);
  for (std::size_t i = 2; i < 5; ++i) EXPECT_EQ(sessions.Find(ids[i], ""), nullptr) << i;
}

TEST_F(SessionsTest, LongWordsOfAClientDoNotGoIntoItsId) {
  Sessions& sessions = Worker();
  Client talker = Someone();
  talker.capabilities = R"({"experimental":{"x":")" + std::string(5000, 'x') + R"("}})";
  talker.info = R"({"name":")" + std::string(5000, 'x') + R"("})";
  const auto session = sessions.Open(std::move(talker), "");
  EXPECT_LT(session->client->session.size(), 400U);
  EXPECT_EQ(session->client->capabilities, "{}");
}

}  // namespace
}  // namespace switchyard::edge
