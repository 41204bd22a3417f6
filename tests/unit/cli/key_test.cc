#include "cli/key.h"

#include <chrono>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "auth/api_key.h"
#include "cli/exit.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const auth::WallTime kNow{std::chrono::seconds(1'800'000'000)};  // 2027-01-15T08:00:00Z

struct Made {
  int exit;
  std::string key;  // without its line break
  std::string said;
  YAML::Node line() const { return YAML::Load(said.substr(said.find("- {")))[0]; }
};

Made MakeKey(const KeyOptions& options) {
  std::ostringstream out, err;
  const int exit = RunKeyNew(options, kNow, out, err);
  std::string key = out.str();
  if (key.ends_with('\n')) key.pop_back();
  return {.exit = exit, .key = key, .said = err.str()};
}

TEST(KeyCommand, PrintsAKeyAndTheLineThatKnowsIt) {
  const Made made = MakeKey({.name = "ci-runner"});
  EXPECT_EQ(made.exit, kOk);
  EXPECT_TRUE(auth::IsApiKey(made.key)) << made.key;
  EXPECT_EQ(made.line()["name"].as<std::string>(), "ci-runner");
  const auto kept = auth::ParseKeyDigest(made.line()["hash"].as<std::string>());
  ASSERT_TRUE(kept.has_value()) << kept.error().message;
  const auto keys = auth::ApiKeys::Make({{.name = "ci-runner", .kept = *kept, .expires = {}}});
  const auto found = keys->Find(made.key, kNow);
  ASSERT_TRUE(found.has_value()) << found.error().detail;
  EXPECT_EQ((*found)->name, "ci-runner");
}

TEST(KeyCommand, TheLineDoesNotHoldTheKey) {
  const Made made = MakeKey({.name = "ci"});
  EXPECT_THAT(made.said, Not(HasSubstr(made.key.substr(13))));
  EXPECT_FALSE(made.line()["expires"]);
}

TEST(KeyCommand, SaysWhenAKeyExpires) {
  EXPECT_EQ(MakeKey({.name = "ci", .expires = std::chrono::hours(24)})
                .line()["expires"]
                .as<std::string>(),
            "2027-01-16T08:00:00Z");
  EXPECT_EQ(MakeKey({.name = "ci", .expires = std::chrono::milliseconds(1)})
                .line()["expires"]
                .as<std::string>(),
            "2027-01-15T08:00:01Z");
}

TEST(KeyCommand, AKeyThatOutlivesTheClockIsRefused) {
  EXPECT_EQ(MakeKey({.name = "ci", .expires = std::chrono::hours(24 * 36'500)}).exit, kOk);
  const Made made = MakeKey({.name = "ci", .expires = Duration::max()});
  EXPECT_EQ(made.exit, kUsage);
  EXPECT_THAT(made.said, HasSubstr("at most 36500d"));
}

TEST(KeyCommand, ANameThatReadsOtherwiseInYamlOrALogIsRefused) {
  for (const std::string name : {"", "a b", "a\nb", "a\"", "a: b", "\xC3\xA9", "{}", "a,b"}) {
    const Made made = MakeKey({.name = name});
    EXPECT_EQ(made.exit, kUsage) << name;
    EXPECT_EQ(made.key, "");
    EXPECT_THAT(made.said, HasSubstr("must be 1 to 64 letters"));
  }
  EXPECT_EQ(MakeKey({.name = std::string(65, 'a')}).exit, kUsage);
  EXPECT_EQ(MakeKey({.name = std::string(64, 'a')}).exit, kOk);
}

}  // namespace
}  // namespace switchyard::cli
