// Rules of authorize by what callers' agents can do.
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/agent_directory.h"
#include "policies/authorize/book.h"
#include "unit/policies/authorize_fixture.h"

namespace switchyard::policies::authorize {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuthorizeAgents : public ::testing::Test {
 protected:
  AuthorizeAgents() {
    agents.Trust({"lead"});
    agents.Replace(0, {});
  }

  // From now on an agent of ada's can do this.
  void Can(std::vector<std::string> words, const std::string& agent = "a") {
    agents.Apply({.serial = agents.serial() + 1,
                  .entry = {.agent = agent,
                            .owner = AgentDirectory::OwnerOf(*ada),
                            .capabilities = std::move(words)}});
  }
  std::string Says(const Rulebook& book, const Caller& caller, const std::string& tool = "t") {
    constexpr std::array<const char*, 3> kWords = {"allowed", "denied", "hidden"};
    const Verdict verdict = book.Decide(book.RulesOf("s"), *book.RulesFor(caller, ""),
                                        {.kind = ItemKind::kTool, .name = tool});
    return kWords.at(static_cast<std::size_t>(verdict.outcome));
  }

  AgentDirectory agents;
  const Caller ada = MakeCaller({.issuer = "idp", .subject = "ada", .roles = {"lead"}});
  const Caller guest = MakeCaller({.issuer = "idp", .subject = "ada", .roles = {"guest"}});
  const Caller bob = MakeCaller({.issuer = "idp", .subject = "bob", .roles = {"lead"}});
};

TEST_F(AuthorizeAgents, HoldForCallersWhoseAgentsCanDoIt) {
  const Rulebook book(RulesIn("  - {effect: allow, who: {capability: 'deploy-*'}}"), &agents);
  EXPECT_EQ(Says(book, ada), "hidden");
  Can({"deploy-prod"});
  EXPECT_EQ(Says(book, ada), "allowed");
  EXPECT_EQ(Says(book, bob), "hidden");
  EXPECT_EQ(Says(book, guest), "hidden") << "without the role that is believed";
  EXPECT_EQ(Says(book, Nobody()), "hidden");
  Can({"python"});
  EXPECT_EQ(Says(book, ada), "hidden");
}

TEST_F(AuthorizeAgents, HoldForWhatTokensSayAsBefore) {
  const Rulebook book(RulesIn("  - {effect: allow, who: {capability: deploy}}"), &agents);
  EXPECT_EQ(Says(book, MakeCaller({.subject = "eve", .capabilities = {"deploy"}})), "allowed");
}

TEST_F(AuthorizeAgents, StandInEveryPartOfARule) {
  const Rulebook book(
      RulesIn("  - {effect: allow, who: {any: [{capability: deploy}, {role: ops}]}}\n"
              "  - {effect: deny, who: {not: [{capability: safe}]}, what: {tool: x}}"),
      &agents);
  Can({"deploy"});
  EXPECT_EQ(Says(book, ada), "allowed");
  EXPECT_EQ(Says(book, ada, "x"), "hidden");
  Can({"safe"}, "b");
  EXPECT_EQ(Says(book, ada, "x"), "allowed");
}

TEST_F(AuthorizeAgents, NameTheScopesThatAreMissingBesides) {
  const Rulebook book(RulesIn("  - {effect: allow, who: {capability: deploy, scope: write}}"),
                      &agents);
  const Question question{.kind = ItemKind::kTool, .name = "t"};
  EXPECT_THAT(book.ScopesFor(book.RulesOf("s"), *ada, "", question), IsEmpty());
  Can({"deploy"});
  EXPECT_THAT(book.ScopesFor(book.RulesOf("s"), *ada, "", question), ElementsAre("write"));
}

TEST_F(AuthorizeAgents, AreJudgedAnewOnlyForThoseWhoseAgentsChanged) {
  const Rulebook book(RulesIn("  - {effect: allow, who: {capability: deploy}}"), &agents);
  Can({"deploy"});
  const auto of_ada = book.RulesFor(ada, ""), of_bob = book.RulesFor(bob, "");
  Can({"python"});
  EXPECT_EQ(book.RulesFor(bob, ""), of_bob);
  EXPECT_NE(book.RulesFor(ada, ""), of_ada);
  const Rulebook by_role(RulesIn("  - {effect: allow, who: {role: lead}}"), &agents);
  EXPECT_FALSE(by_role.names_capabilities());
  const auto kept = by_role.RulesFor(ada, "");
  Can({"deploy"});
  EXPECT_EQ(by_role.RulesFor(ada, ""), kept);
}

TEST_F(AuthorizeAgents, AreWantedByBooksThatNameThem) {
  {
    const Settings none{.rules = RulesIn("  - {effect: allow, who: {role: lead}}")};
    const Book book(none, &agents);
    EXPECT_FALSE(agents.wanted());
  }
  const Settings some{.rules = RulesIn("  - {effect: deny, who: {not: [{capability: x}]}}")};
  std::optional<Book> book(std::in_place, some, &agents);
  EXPECT_TRUE(agents.wanted());
  book.reset();
  EXPECT_FALSE(agents.wanted());
}

TEST_F(AuthorizeAgents, TheLastChangeIsObeyedHoweverManyAskMeanwhile) {
  const Rulebook book(RulesIn("  - {effect: allow, who: {capability: deploy}}"), &agents);
  std::atomic<bool> over = false;
  std::vector<std::thread> askers;
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&] {
      while (!over) book.RulesFor(ada, "");
    });
  }
  for (int i = 0; i < 500; ++i) {
    Can({"deploy"});
    ASSERT_EQ(Says(book, ada), "allowed");
    Can({});
    ASSERT_EQ(Says(book, ada), "hidden");
  }
  over = true;
  for (std::thread& asker : askers) asker.join();
}

}  // namespace
}  // namespace switchyard::policies::authorize
