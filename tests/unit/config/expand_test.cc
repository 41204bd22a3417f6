#include "config/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/paths.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

std::string Value(std::string_view text, const std::string& directory = "") {
  const FakeEnvironment environment;
  const auto out = Expand(text, directory, environment);
  return out ? out->value : "problem: " + out.error().front().message;
}

std::string Shown(std::string_view text) {
  const FakeEnvironment environment;
  return Expand(text, "", environment)->shown;
}

TEST(Expand, PutsVariablesAndFilesIntoTheText) {
  EXPECT_EQ(Value("Bearer ${TOKEN}!"), "Bearer s3cret!");
  EXPECT_EQ(Value("${TOKEN}${PORT}"), "s3cret9000");
  EXPECT_EQ(Value("${file:/run/key}"), "file-s3cret");
}

TEST(Expand, UsesTheDefaultForWhatIsUnsetOrEmpty) {
  EXPECT_EQ(Value("${NOPE:-x}"), "x");
  EXPECT_EQ(Value("${EMPTY:-x}"), "x");
  EXPECT_EQ(Value("${EMPTY}"), "");
  EXPECT_EQ(Value("${NOPE:-}"), "");
  EXPECT_EQ(Value("${TOKEN:-x}"), "s3cret");
}

TEST(Expand, LeavesOtherDollarsAlone) {
  EXPECT_EQ(Value("$TOKEN $$ ${TOKEN}$"), "$TOKEN $$ s3cret$");
  EXPECT_EQ(Value("$${TOKEN}"), "${TOKEN}");
  EXPECT_EQ(Value("a$${b}${PORT}"), "a${b}9000");
}

TEST(Expand, DoesNotExpandWhatItExpanded) {
  FakeEnvironment environment;
  environment.variables["A"] = "${TOKEN}";
  EXPECT_EQ(Expand("${A}", "", environment)->value, "${TOKEN}");
}

TEST(Expand, ShowsTheTextAsWrittenWithoutDefaults) {
  EXPECT_EQ(Shown("Bearer ${TOKEN}"), "Bearer ${TOKEN}");
  EXPECT_EQ(Shown("${TOKEN:-fallback}"), "${TOKEN}");
  EXPECT_EQ(Shown("${file:/run/key}"), "${file:/run/key}");
  EXPECT_EQ(Shown("$${x}"), "$${x}");
}

TEST(Expand, LooksForRelativeFilesBesideTheConfiguration) {
  FakeEnvironment environment;
  environment.files["/etc/switchyard/key"] = "k\r\n";
  EXPECT_EQ(Expand("${file:key}", "/etc/switchyard", environment)->value, "k");
}

TEST(Expand, TakesOneLineEndOffAFileAndNoMore) {
  FakeEnvironment environment;
  environment.files["/k"] = "a\n\n";
  EXPECT_EQ(Expand("${file:/k}", "", environment)->value, "a\n");
}

TEST(Expand, RefusesAFileWithAZeroByte) {
  FakeEnvironment environment;
  environment.files["/k"] = std::string("a\0b", 3);
  EXPECT_EQ(Expand("${file:/k}", "", environment).error()[0].message, "\"/k\" holds a zero byte");
}

TEST(Expand, RefusesToGrowWithoutEnd) {
  FakeEnvironment environment;
  environment.variables["BIG"] = std::string(kMaxExpanded / 2 + 1, 'x');
  EXPECT_TRUE(Expand("${BIG}", "", environment));
  const auto twice = Expand("${BIG}${BIG}", "", environment);
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error()[0].message, testing::HasSubstr("longer than the limit"));
}

TEST(Expand, ReportsEveryProblemOfOneText) {
  const FakeEnvironment environment;
  const auto out = Expand("${A} ${B}", "", environment);
  ASSERT_FALSE(out);
  ASSERT_EQ(out.error().size(), 2U);
  EXPECT_EQ(out.error()[1].offset, 5U);
  EXPECT_EQ(out.error()[1].token, "${B");
}

TEST(ProcessEnvironment, ReadsARealFileAndSaysWhyItCannot) {
  const ProcessEnvironment real;
  EXPECT_THAT(*real.ReadFile(::switchyard::paths::SourceDir() + "/config/minimal.yaml"),
              testing::HasSubstr("servers:"));
  EXPECT_EQ(real.ReadFile("/nowhere/at/all").error(), "no such file or directory");
  EXPECT_EQ(real.ReadFile("/").error(), "is a directory");
  EXPECT_EQ(real.ReadFile("/dev/zero").error(), "larger than the limit of 1048576 bytes");
  EXPECT_TRUE(real.Get("PATH"));
  EXPECT_FALSE(real.Get("SWITCHYARD_SURELY_NOT_SET"));
}

}  // namespace
}  // namespace switchyard::config
