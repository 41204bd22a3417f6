// No text takes guardrail more time than by its length: the processor's time for a text is held
// against that for one eighth of it, with ample room. What is quadratic takes 64 times as long.
#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "policies/lib/guardrail_inspection.h"
#include "unit/policies/guardrail_rules.h"

namespace switchyard::policies::guardrail {
namespace {

std::string Repeated(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text.append(piece);
  return text;
}

// Of this thread, whatever else the machine does.
double ProcessorTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double SecondsFor(const Rules& rules, const std::string& text) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double begin = ProcessorTime();
    (void)rules.finder->Find(text);
    best = std::min(best, ProcessorTime() - begin);
  }
  return best;
}

TEST(GuardrailWork, NoTextTakesMoreThanLinearTime) {
  const Rules rules = MakeRules({.actions = {{"all", Action::kReport}},
                                 .patterns = {{"far", "a[^z]*z"}, {"one", "b"}, {"two", "b.*c"}}});
  const std::vector<std::string> pieces = {"-----BEGIN PRIVATE KEY-----",
                                           "-----BEGIN PRIVATE KEY-----!",
                                           "-----BEGIN ",
                                           "-----END",
                                           "eyJ",
                                           "eyJ.",
                                           "eyJ.eyJ",
                                           " eyJhbGciOiJIUzI1NiJ9.",
                                           "sk-ant-",
                                           "sk_live_1",
                                           "xoxb-",
                                           "token=",
                                           "token: \"",
                                           "password:",
                                           "=",
                                           ":",
                                           "://",
                                           "a://b:",
                                           "a@",
                                           "a.b@c.",
                                           "@",
                                           "4111 ",
                                           "4111-",
                                           "4111111111111111",
                                           "DE89 ",
                                           "DE",
                                           "DE89370400440532013000",
                                           "bearer ",
                                           "Basic ",
                                           "bearer a1",
                                           "a",
                                           "b",
                                           "ab",
                                           "[redacted:email]",
                                           "[redacted:",
                                           "\\n",
                                           "\"",
                                           "github_pat_",
                                           "AccountKey="};
  constexpr std::size_t kShort = std::size_t{4} << 10;
  for (const std::string& piece : pieces) {
    const double small = SecondsFor(rules, Repeated(piece, kShort));
    const double large = SecondsFor(rules, Repeated(piece, 8 * kShort));
    EXPECT_LE(large, 40 * small + 0.02) << piece;
  }
}

TEST(GuardrailWork, BeyondTheMostMatchesOfAPatternAllIsOne) {
  const Rules rules =
      MakeRules({.actions = {{"all", Action::kRedact}}, .patterns = {{"one", "b "}}});
  const std::string text = Repeated("b c ", 8 * Finder::kMostMatches);
  const std::vector<Finding> found = rules.finder->Find(text);
  ASSERT_EQ(found.size(), Finder::kMostMatches + 1);
  EXPECT_EQ(found.back().end, text.size());
  EXPECT_FALSE(Inspection(rules).Text(text)->ends_with("b c "));
}

TEST(GuardrailWork, APatternIsFoundAcrossItsWindows) {
  const Rules rules =
      MakeRules({.actions = {{"all", Action::kRedact}}, .patterns = {{"x", "<x+>"}}});
  for (const std::size_t before : {4000U, 4096U, 8191U, 8192U, 12000U}) {
    const std::string text = std::string(before, '.') + "<" + std::string(3000, 'x') + ">.";
    const std::vector<Finding> found = rules.finder->Find(text);
    ASSERT_EQ(found.size(), 1U) << before;
    EXPECT_EQ(found[0], (Finding{before, before + 3002, kBuiltIn}));
  }
}

}  // namespace
}  // namespace switchyard::policies::guardrail
