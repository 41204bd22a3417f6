// What callers' agents can do: whose it is, whom it is believed, and that no change is lost.
#include "core/agent_directory.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Words = AgentDirectory::Words;

Principal Of(const std::string& subject, Words roles = {"lead"},
             const std::string& issuer = "https://idp") {
  return {.issuer = issuer, .subject = subject, .roles = std::move(roles)};
}

AgentDirectory::Change Says(std::int64_t serial, const std::string& agent, const Principal& owner,
                            Words capabilities) {
  return {.serial = serial,
          .entry = {.agent = agent,
                    .owner = AgentDirectory::OwnerOf(owner),
                    .capabilities = std::move(capabilities)}};
}

class AgentDirectoryTest : public ::testing::Test {
 protected:
  AgentDirectoryTest() {
    directory.Trust({"lead"});
    directory.Replace(0, {});
  }
  Words Can(const Principal& caller) const {
    const AgentDirectory::WordsPtr words = directory.CapabilitiesOf(caller);
    return words == nullptr ? Words() : *words;
  }

  int told = 0;
  AgentDirectory directory{[this] { ++told; }};
};

TEST_F(AgentDirectoryTest, GathersWhatTheAgentsOfACallerCanDo) {
  directory.Apply(Says(1, "a", Of("ada"), {"deploy", "python"}));
  directory.Apply(Says(2, "b", Of("ada"), {"audit", "python"}));
  directory.Apply(Says(3, "c", Of("bob"), {"delete"}));
  EXPECT_THAT(Can(Of("ada")), ElementsAre("audit", "deploy", "python"));
  EXPECT_THAT(Can(Of("bob")), ElementsAre("delete"));
  directory.Apply(Says(4, "a", Of("ada"), {}));
  EXPECT_THAT(Can(Of("ada")), ElementsAre("audit", "python"));
  directory.Apply(Says(5, "b", Of("bob"), {"audit"}));
  EXPECT_THAT(Can(Of("ada")), IsEmpty());
  EXPECT_THAT(Can(Of("bob")), ElementsAre("audit", "delete"));
}

TEST_F(AgentDirectoryTest, BelievesThoseAloneWhoHaveARoleByNow) {
  directory.Apply(Says(1, "a", Of("ada"), {"deploy"}));
  EXPECT_THAT(Can(Of("ada", {"guest"})), IsEmpty());
  EXPECT_THAT(Can(Of("ada", {})), IsEmpty());
  directory.Trust({});
  EXPECT_THAT(Can(Of("ada")), IsEmpty());
  directory.Trust({"x", "lead"});
  EXPECT_THAT(Can(Of("ada")), ElementsAre("deploy"));
}

TEST_F(AgentDirectoryTest, NobodyInParticularHasNothing) {
  const Principal nobody{.roles = {"lead"}};
  directory.Apply(Says(1, "a", nobody, {"deploy"}));
  EXPECT_THAT(Can(nobody), IsEmpty());
  EXPECT_THAT(Can(Of("ada")), IsEmpty());
}

TEST_F(AgentDirectoryTest, CallersOfTwoIssuersAreTwo) {
  directory.Apply(Says(1, "a", Of("ada"), {"deploy"}));
  EXPECT_THAT(Can(Of("ada", {"lead"}, "https://other")), IsEmpty());
  EXPECT_THAT(Can(Of("\nada", {"lead"}, "https://idp")), IsEmpty());
}

TEST_F(AgentDirectoryTest, OneChangeTooFewAndItWaitsForTheWhole) {
  directory.Apply(Says(2, "b", Of("ada"), {"late"}));
  EXPECT_THAT(Can(Of("ada")), IsEmpty());
  EXPECT_EQ(directory.serial(), 0);
  directory.Apply(Says(1, "a", Of("ada"), {"deploy"}));
  EXPECT_EQ(directory.serial(), 1);
  directory.Replace(
      2, {Says(0, "a", Of("ada"), {"deploy"}).entry, Says(0, "b", Of("ada"), {"late"}).entry});
  EXPECT_THAT(Can(Of("ada")), ElementsAre("deploy", "late"));
  directory.Apply(Says(1, "a", Of("ada"), {"old"}));
  directory.Replace(1, {});
  EXPECT_THAT(Can(Of("ada")), ElementsAre("deploy", "late")) << "what is older changes nothing";
}

TEST_F(AgentDirectoryTest, AnotherNumberIsForOtherAnswersAlone) {
  const std::uint64_t first = directory.version();
  directory.Apply(Says(1, "a", Of("ada"), {"deploy"}));
  const std::uint64_t second = directory.version();
  EXPECT_NE(first, second);
  const AgentDirectory::WordsPtr words = directory.CapabilitiesOf(Of("ada"));
  directory.Apply(Says(2, "a", Of("ada"), {"deploy"}));
  directory.Apply(Says(3, "gone", Of("ada"), {}));
  directory.Trust({"lead"});
  EXPECT_EQ(directory.version(), second);
  directory.Apply(Says(4, "c", Of("bob"), {"x"}));
  EXPECT_NE(directory.version(), second);
  EXPECT_EQ(directory.CapabilitiesOf(Of("ada")), words) << "the same object for ada";
}

TEST_F(AgentDirectoryTest, TellsThoseWhoGoByIt) {
  directory.Apply(Says(1, "a", Of("ada"), {"deploy"}));
  EXPECT_EQ(told, 0);
  EXPECT_EQ(directory.wanted_version(), 0U);
  const auto wants = directory.Want();
  EXPECT_EQ(directory.wanted_version(), directory.version());
  directory.Apply(Says(2, "a", Of("ada"), {"python"}));
  directory.Apply(Says(3, "a", Of("ada"), {"python"}));
  EXPECT_EQ(told, 1);
  directory.Trust({"ops"});
  EXPECT_EQ(told, 2);
}

TEST_F(AgentDirectoryTest, CountsSoManyOfOneCallerAndNoMore) {
  Words many;
  for (std::size_t i = 0; i < 2 * AgentDirectory::kMostWords; ++i) {
    many.push_back("c" + std::to_string(i));
  }
  directory.Apply(Says(1, "a", Of("ada"), many));
  EXPECT_EQ(Can(Of("ada")).size(), AgentDirectory::kMostWords);
}

TEST_F(AgentDirectoryTest, IsReadWhileItIsWritten) {
  std::atomic<bool> over = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!over) {
        const std::uint64_t version = directory.version();
        const Words words = Can(Of("ada"));
        EXPECT_LE(words.size(), 2U);
        EXPECT_GE(directory.version(), version);
      }
    });
  }
  for (int i = 1; i <= 2000; ++i) {
    directory.Apply(Says(i, i % 2 == 0 ? "a" : "b", Of("ada"),
                         i % 3 == 0 ? Words() : Words{"c" + std::to_string(i)}));
  }
  over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(directory.serial(), 2000);
}

}  // namespace
}  // namespace switchyard
