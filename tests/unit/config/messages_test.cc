// The exact words of every problem, from tests/golden/config/bad_documents.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

std::vector<std::string> Words(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) {
    std::string line = problem.ToString().substr(problem.file.size() + 1);
    if (line.starts_with(' ')) line.erase(0, 1);
    out.push_back(line);
  }
  return out;
}

TEST(Messages, TheTableIsReadWhole) {
  const auto documents = BadDocuments();
  EXPECT_GE(documents.size(), 70U);
  for (const BadDocument& document : documents) {
    EXPECT_FALSE(document.expected.empty()) << document.name;
    EXPECT_THAT(document.schema, testing::AnyOf("schema refuses", "schema accepts", "unreadable"))
        << document.name;
  }
}

TEST(Messages, EachBadDocumentIsRefusedInTheseWords) {
  const FakeEnvironment environment;
  const auto keys = FakePolicies();
  for (const BadDocument& document : BadDocuments()) {
    const auto loaded = LoadText(document.text, "bad.yaml", keys, environment);
    ASSERT_FALSE(loaded) << document.name;
    EXPECT_THAT(Words(loaded.error()), testing::ElementsAreArray(document.expected))
        << document.name;
  }
}

TEST(Messages, NoneHoldsASecret) {
  const FakeEnvironment environment;
  const auto keys = FakePolicies();
  for (const BadDocument& document : BadDocuments()) {
    const auto loaded = LoadText(document.text, "bad.yaml", keys, environment);
    ASSERT_FALSE(loaded);
    for (const Problem& problem : loaded.error()) {
      EXPECT_THAT(problem.message, testing::Not(testing::HasSubstr("s3cret"))) << document.name;
      EXPECT_THAT(problem.message, testing::Not(testing::HasSubstr("hunter2"))) << document.name;
      EXPECT_THAT(problem.message, testing::Not(testing::HasSubstr("Bearer"))) << document.name;
    }
  }
}

TEST(Messages, ASecretInThePlaceOfAMappingOrListIsNotQuoted) {
  const FakeEnvironment environment;
  const char* kTexts[] = {"servers: {a: {command: x, env: KEY=hunter2}}",
                          "servers: {a: {command: x, args: --key=hunter2}}",
                          "servers: {a: {url: 'https://h', headers: hunter2}}",
                          "servers: {a: {url: 'h?key=hunter2'}}",
                          "servers: {a: {url: 'me:hunter2@h'}}"};
  for (const char* text : kTexts) {
    const auto loaded = LoadText(text, "bad.yaml", {}, environment);
    ASSERT_FALSE(loaded) << text;
    for (const Problem& problem : loaded.error()) {
      EXPECT_THAT(problem.message, testing::Not(testing::HasSubstr("hunter2")));
    }
  }
}

TEST(Messages, AFloodOfProblemsIsCountedNotKept) {
  std::string text = "servers: {}\n";
  for (int i = 0; i < 500; ++i) text += "bad" + std::to_string(i) + ": 1\n";
  const FakeEnvironment environment;
  const auto loaded = LoadText(text, "bad.yaml", {}, environment);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().size(), Problems::kMaxProblems + 1);
  EXPECT_EQ(loaded.error().back().message, "300 more problems not shown");
}

TEST(Messages, WarningsSayThatTheyAreOnesAndFollowTheErrors) {
  const FakeEnvironment environment;
  const auto loaded =
      LoadText("listen: 0.0.0.0:80\nauth: none\nservers: {a: {}}\n", "w.yaml", {}, environment);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 2U);
  EXPECT_EQ(loaded.error()[0].severity, Severity::kError);
  EXPECT_EQ(loaded.error()[1].ToString(),
            "w.yaml:2:7: warning: auth: everybody who reaches 0.0.0.0 may use /mcp: nobody has to "
            "prove who they are");
}

TEST(Nearest, FindsWhatWasMeantAndNothingWhenNothingWas) {
  const std::vector<std::string> keys = {"command", "env", "url", "start_timeout"};
  EXPECT_EQ(Nearest("comand", keys), "command");
  EXPECT_EQ(Nearest("cmomand", keys), "command");
  EXPECT_EQ(Nearest("Url", keys), "url");
  EXPECT_EQ(Nearest("ulr", keys), "url");
  EXPECT_EQ(Nearest("environment", keys), "env");
  EXPECT_EQ(Nearest("start-timeout", keys), "start_timeout");
  EXPECT_EQ(Nearest("xyz", keys), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'c'), keys), "");
}

}  // namespace
}  // namespace switchyard::config
