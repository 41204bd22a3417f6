// How much of what must be found is found, and how much is found that must not be: a table of texts
// (guardrail_corpus.h), scored. Bounds are a gate: what makes it worse does not pass.
#include "unit/policies/guardrail_corpus.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "policies/lib/guardrail_finder.h"

namespace switchyard::policies::guardrail {
namespace {

const Finder& Everything() {
  static const Finder finder([] {
    Wanted wanted{.is_own_key = &auth::IsApiKey};
    wanted.detectors.set();
    return wanted;
  }());
  return finder;
}

std::string TextOf(const CorpusRow& row) {
  std::string text(row.text);
  constexpr std::string_view kKey = "{swy}";
  const std::size_t at = text.find(kKey);
  if (at != std::string::npos) text.replace(at, kKey.size(), auth::MakeApiKey().text);
  return text;
}

struct Score {
  std::size_t rows = 0;
  std::size_t right = 0;
};

TEST(GuardrailCorpus, FindsWhatItMustAndLittleElse) {
  std::map<std::string_view, Score> recall;
  Score positives, negatives;
  for (const CorpusRow& row : kCorpus) {
    const std::vector<Finding> found = Everything().Find(TextOf(row));
    if (row.detector.empty()) {
      ++negatives.rows;
      negatives.right += found.empty() ? 1 : 0;
      for (const Finding& one : found) {
        std::printf("  found %s in: %.60s\n", std::string(kDetectors.at(one.detector).name).c_str(),
                    std::string(row.text).c_str());
      }
      continue;
    }
    const bool right = std::ranges::any_of(found, [&](const Finding& one) {
      return kDetectors.at(one.detector).name == row.detector;
    });
    for (Score* score : {&positives, &recall[row.detector]}) {
      ++score->rows;
      score->right += right ? 1 : 0;
    }
    if (!right) {
      std::printf("  missed %s: %.60s\n", std::string(row.detector).c_str(),
                  std::string(row.text).c_str());
    }
  }
  for (const auto& [detector, score] : recall) {
    std::printf("  %-18s %zu of %zu\n", std::string(detector).c_str(), score.right, score.rows);
  }
  const double found = static_cast<double>(positives.right) / static_cast<double>(positives.rows);
  const double wrong =
      1 - static_cast<double>(negatives.right) / static_cast<double>(negatives.rows);
  std::printf("  recall %.3f of %zu, false positives %.3f of %zu\n", found, positives.rows, wrong,
              negatives.rows);
  EXPECT_GE(positives.rows + negatives.rows, 150U);
  EXPECT_GE(found, 0.97);  // nobody can tell of a mere word that it is a password
  EXPECT_LE(wrong, 0.01);
}

TEST(GuardrailCorpus, HasRowsForEveryDetectorOfTexts) {
  for (const DetectorRow& row : kDetectors) {
    if (row.name == "secret_field") continue;  // takes a member's name: inspection tests
    EXPECT_TRUE(std::ranges::any_of(kCorpus, [&](const CorpusRow& one) {
      return one.detector == row.name;
    })) << row.name;
  }
}

}  // namespace
}  // namespace switchyard::policies::guardrail
