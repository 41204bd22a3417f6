// What a configuration may say of guardrail, and what comes of several levels of it.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/guardrail/settings.h"
#include "unit/policies/support.h"

namespace switchyard::policies::guardrail {
namespace {

using enum Action;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const Settings> Read(const std::string& yaml, const void* inherited = nullptr) {
  const config::ProcessEnvironment environment;
  config::Document document(yaml, "test.yaml", environment);
  auto settings =
      ParseSettings(std::move(*document.Root()), static_cast<const Settings*>(inherited));
  EXPECT_TRUE(document.problems().Errors().empty()) << yaml;
  return settings;
}

Action ActionFor(const Settings& settings, Direction direction, std::string_view name) {
  const Rules& rules = CompiledOf(settings).rules.at(static_cast<std::size_t>(direction));
  const auto found = std::ranges::find(rules.names, name);
  return rules.actions.at(static_cast<std::size_t>(found - rules.names.begin()));
}

TEST(GuardrailSettings, WhatSpeaksOfLessWins) {
  const auto settings = Read(
      "{patterns: {x: 'xx+'}, results: {email: off, all: report, secrets: redact, jwt: deny}}");
  EXPECT_EQ(ActionFor(*settings, Direction::kResult, "email"), kOff);
  EXPECT_EQ(ActionFor(*settings, Direction::kResult, "card"), kReport);
  EXPECT_EQ(ActionFor(*settings, Direction::kResult, "x"), kReport);
  EXPECT_EQ(ActionFor(*settings, Direction::kResult, "aws_key"), kRedact);
  EXPECT_EQ(ActionFor(*settings, Direction::kResult, "jwt"), kDeny);
  EXPECT_TRUE(CompiledOf(*settings).rules[0].off());
}

TEST(GuardrailSettings, ANearerLevelSpeaksOfAllThatItNames) {
  const auto outer = Read("{results: {secrets: redact, jwt: deny, email: report}, numbered: true}");
  const auto inner = Read("{patterns: {y: y1}, results: {secrets: report, y: deny}}", outer.get());
  EXPECT_EQ(ActionFor(*inner, Direction::kResult, "jwt"), kReport);
  EXPECT_EQ(ActionFor(*inner, Direction::kResult, "email"), kReport);
  EXPECT_EQ(ActionFor(*inner, Direction::kResult, "y"), kDeny);
  EXPECT_TRUE(inner->numbered);
  const auto off = Read("{results: {all: off}}", inner.get());
  EXPECT_TRUE(CompiledOf(*off).rules[1].off());
  const auto other = Read("{patterns: {y: z1}}", inner.get());
  EXPECT_EQ(other->patterns.size(), 1U);
  EXPECT_EQ(other->patterns[0]->text, "z1");
}

TEST(GuardrailSettings, WhatMakesNoSenseIsAProblem) {
  const auto problems = [](const std::string& yaml) {
    return policies::testing::ProblemsOf("guardrail", yaml);
  };
  EXPECT_THAT(problems("results: {emails: deny}"),
              ElementsAre(HasSubstr("results.emails: is neither a detector")));
  EXPECT_THAT(
      problems("results: {email: drop}"),
      ElementsAre(HasSubstr("results.email: must be off, report, redact or deny, got drop")));
  EXPECT_THAT(problems("patterns: {email: x}"),
              ElementsAre(HasSubstr("is the name of a detector")));
  EXPECT_THAT(problems("patterns: {all: x}"), ElementsAre(HasSubstr("is the name of a detector")));
  EXPECT_THAT(problems("patterns: {X: x}"), ElementsAre(HasSubstr("1 to 32 of a-z 0-9 _")));
  EXPECT_THAT(problems("patterns: {x: '('}"), ElementsAre(HasSubstr("no regular expression")));
  EXPECT_THAT(problems("patterns: {x: 'a*'}"), ElementsAre(HasSubstr("fits the empty text")));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "p" + std::to_string(i) + ": x" + std::to_string(i) + ", ";
  EXPECT_THAT(problems("patterns: {" + many + "}"),
              ElementsAre(HasSubstr("65 patterns, at most 64")));
}

}  // namespace
}  // namespace switchyard::policies::guardrail
