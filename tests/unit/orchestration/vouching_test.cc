// What counts of what agents say of themselves: who may say it, how long it holds, and that a
// directory has it all, also after a restart and where it missed something.
#include "orchestration/vouching.h"

#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/desk.h"
#include "telemetry/metrics.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Words = AgentDirectory::Words;

std::shared_ptr<const Roles> LeadVouches() {
  auto roles = std::make_shared<Roles>();
  roles->of[static_cast<std::size_t>(Right::kVouch)] = std::vector<std::string>{"lead"};
  return roles;
}

Principal Caller(const std::string& subject) {
  return {.issuer = "idp", .subject = subject, .roles = {"lead"}};
}

class Vouches : public ::testing::Test {
 protected:
  Vouches() { As("ada"); }

  // Who calls from now on, with the right to vouch or without.
  void As(const std::string& subject, bool vouches = true) {
    room.caller = AgentDirectory::OwnerOf(Caller(subject));
    room.rights = vouches ? Rights(*LeadVouches(), Caller(subject)) : Rights();
  }
  // `{"agent": what counts of it from now on}` of the last call; "" where nothing changed.
  std::string Changed() const {
    std::string text;
    for (const AgentDirectory::Change& change : room.effects.vouched) {
      text += (text.empty() ? "" : ", ") + std::to_string(change.serial) + " " +
              change.entry.agent + " of " + OwnerOf(change) + ":";
      for (const std::string& word : change.entry.capabilities) text += " " + word;
    }
    return text;
  }
  static std::string OwnerOf(const AgentDirectory::Change& change) {
    return change.entry.owner.empty() ? "nobody" : change.entry.owner.substr(4);
  }
  std::string Register(const std::string& agent, const std::string& capabilities) {
    room.Register(agent, R"(,"capabilities":)" + capabilities);
    return Changed();
  }

  Room room;
};

TEST_F(Vouches, WhoHasTheRight) {
  EXPECT_EQ(Register("a", R"(["python","deploy","python"])"), "1 a of ada: deploy python");
  As("bob", false);
  EXPECT_EQ(Register("b", R"(["deploy"])"), "");
  EXPECT_EQ(room.Get("get_agent_health", R"({"agent_id":"a"})").at("vouched").as_bool(), true);
  EXPECT_FALSE(room.Get("get_agent_health", R"({"agent_id":"b"})").contains("vouched"));
}

TEST_F(Vouches, NobodyInParticularForNothing) {
  room.caller = "";
  EXPECT_EQ(Register("a", R"(["deploy"])"), "");
}

TEST_F(Vouches, ForWhatItSaysNowAndNoLonger) {
  Register("a", R"(["deploy"])");
  EXPECT_EQ(Register("a", R"(["deploy"])"), "") << "the same again";
  EXPECT_EQ(Register("a", R"(["deploy","python"])"), "2 a of ada: deploy python");
  EXPECT_EQ(Register("a", "[]"), "3 a of ada:");
  EXPECT_EQ(Register("a", R"(["deploy"])"), "4 a of ada: deploy");
  As("ada", false);
  EXPECT_EQ(Register("a", R"(["deploy","root"])"), "5 a of ada:") << "the right is gone";
}

TEST_F(Vouches, AsLongAsTheAgentIsThere) {
  Register("a", R"(["deploy"])");
  Register("b", R"(["python"])");
  EXPECT_EQ(room.Refusal("deregister_agent", R"({"agent_id":"a"})"), "");
  EXPECT_THAT(Changed(), ::testing::StartsWith("3 a of"));
  room.now += room.settings.away_ms + 1;
  room.Get("get_agent_health", R"({"agent_id":"b"})");
  EXPECT_EQ(Changed(), "") << "one that is away is still its caller's";
  room.now += room.settings.retain_ms + 1;
  room.Do([](Records& records) { return ForgetAgents(records, 10); });
  EXPECT_THAT(Changed(), ::testing::StartsWith("4 b of"));
}

TEST_F(Vouches, NotForAnothersAgent) {
  Register("a", R"(["deploy"])");
  As("mallory");
  EXPECT_THAT(room.Refusal("register_agent", R"({"agent_id":"a","capabilities":["deploy"]})"),
              ::testing::HasSubstr("registered by another caller"));
  EXPECT_EQ(Changed(), "");
}

TEST_F(Vouches, ForOneThatNobodyProvedToHaveRegisteredOnceItIsTheirs) {
  room.caller = "";
  Register("a", R"(["deploy"])");
  As("ada");
  EXPECT_EQ(Register("a", R"(["deploy"])"), "1 a of ada: deploy");
}

// A desk over records that outlive it.
class VouchingDesk : public ::testing::Test {
 protected:
  VouchingDesk()
      : database(std::move(*store::SqliteDatabase::Open({.path = ""}, Schema()))),
        desk(NewDesk(directory)) {}
  ~VouchingDesk() override { database->Close(); }

  std::unique_ptr<Desk> NewDesk(AgentDirectory& into) {
    Settings settings;
    settings.roles = LeadVouches();
    auto made = std::make_unique<Desk>(*database, clock, metrics, settings, &into);
    Finish();
    return made;
  }
  void Finish() {
    std::promise<void> over;
    database->Submit([](Database::Transaction&) -> Result<void> { return {}; },
                     [&](const Result<void>&) { over.set_value(); });
    over.get_future().wait();
  }
  // As another process on the same records might: no desk hears of it.
  void RegisterElsewhere(const std::string& agent, const std::string& word) {
    std::promise<void> over;
    database->Submit(
        [&](Database::Transaction& sql) -> Result<void> {
          const Settings settings;
          const std::string caller = AgentDirectory::OwnerOf(Caller("ada"));
          Records records{.sql = sql,
                          .now = 1'800'000'000'000,
                          .settings = settings,
                          .caller = caller,
                          .rights = Rights(*LeadVouches(), Caller("ada"))};
          const Result<Agent> made = Register(records, {.id = agent, .capabilities = {word}});
          return made ? Result<void>() : Failure(made.error());
        },
        [&](const Result<void>& kept) {
          EXPECT_TRUE(kept.has_value());
          over.set_value();
        });
    over.get_future().wait();
  }
  static Words Can(const AgentDirectory& directory) {
    const AgentDirectory::WordsPtr words = directory.CapabilitiesOf(Caller("ada"));
    return words == nullptr ? Words() : *words;
  }

  const ManualClock clock;
  telemetry::Metrics metrics;
  AgentDirectory directory;
  std::unique_ptr<store::SqliteDatabase> database;
  std::unique_ptr<Desk> desk;
};

TEST_F(VouchingDesk, ReadsWhatThereIsBeforeAnythingElse) {
  RegisterElsewhere("a", "deploy");
  AgentDirectory fresh;
  const auto another = NewDesk(fresh);
  EXPECT_THAT(Can(fresh), ElementsAre("deploy"));
  EXPECT_EQ(fresh.serial(), 1);
}

TEST_F(VouchingDesk, FindsOutWhatItWasNotTold) {
  RegisterElsewhere("a", "deploy");
  RegisterElsewhere("b", "python");
  EXPECT_THAT(Can(directory), IsEmpty());
  desk->Tick();
  Finish();
  EXPECT_THAT(Can(directory), ElementsAre("deploy", "python"));
  EXPECT_EQ(directory.serial(), 2);
}

TEST_F(VouchingDesk, BelievesWhomTheConfigurationNamesNow) {
  RegisterElsewhere("a", "deploy");
  desk->Tick();
  Finish();
  desk->Change(Settings());
  EXPECT_THAT(Can(directory), IsEmpty());
  Settings settings;
  settings.roles = LeadVouches();
  desk->Change(settings);
  EXPECT_THAT(Can(directory), ElementsAre("deploy"));
}

}  // namespace
}  // namespace switchyard::orchestration
