#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using testing::HasSubstr;
using Act = Pinning::Act;

class PinsSection : public testing::Test {
 protected:
  static LoadResult Load(const std::string& text) {
    const FakeEnvironment environment;
    return LoadText(text, "c.yaml", FakePolicies(), environment);
  }
  static Config Read(const std::string& text) {
    LoadResult loaded = Load(text);
    if (loaded) return std::move(loaded->config);
    ADD_FAILURE() << loaded.error().front().ToString();
    return {};
  }
};

TEST_F(PinsSection, IsOffUntilItIsThere) {
  const Config config = Read("servers: {a: {command: x}}\nstate: {dir: /s}\n");
  EXPECT_FALSE(config.servers.at("a").pinning.on());
  EXPECT_EQ(config.pins_file, "");
}

TEST_F(PinsSection, HoldsWhatChangesAndWarnsOfWhatLooksBadByDefault) {
  const Config config = Read("servers: {a: {command: x}}\nstate: {dir: /s}\npins: {}\n");
  const Pinning& pinning = config.servers.at("a").pinning;
  EXPECT_EQ(pinning.change, Act::kQuarantine);
  EXPECT_FALSE(pinning.only_accepted);
  EXPECT_EQ(pinning.scan, Act::kWarn);
  EXPECT_EQ(pinning.threshold, Pinning::Severity::kMedium);
  EXPECT_EQ(config.pins_file, "/s/pins.json");
}

TEST_F(PinsSection, OfAServerOverridesItKeyByKey) {
  const Config config = Read(R"(
servers:
  a: {command: x, pins: {trust: accepted, threshold: high}}
  b: {command: y, pins: {change: off, scan: off}}
pins: {file: /p.json, change: warn, scan: quarantine}
)");
  const Pinning& a = config.servers.at("a").pinning;
  EXPECT_EQ(a.change, Act::kWarn);
  EXPECT_TRUE(a.only_accepted);
  EXPECT_EQ(a.scan, Act::kQuarantine);
  EXPECT_EQ(a.threshold, Pinning::Severity::kHigh);
  EXPECT_FALSE(config.servers.at("b").pinning.on());
  EXPECT_EQ(config.pins_file, "/p.json");
}

TEST_F(PinsSection, OfAServerAloneIsEnough) {
  const Config config =
      Read("servers: {a: {command: x, pins: {}}, b: {command: y}}\nstate: {dir: /s}\n");
  EXPECT_TRUE(config.servers.at("a").pinning.on());
  EXPECT_FALSE(config.servers.at("b").pinning.on());
  EXPECT_EQ(config.pins_file, "/s/pins.json");
}

TEST_F(PinsSection, NeedsAPlaceThatOutlivesTheProcess) {
  const LoadResult nowhere = Load("servers: {a: {command: x}}\npins: {}\n");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().front().ToString(), HasSubstr("set state.dir, or pins.file"));
  const LoadResult relative = Load("servers: {a: {command: x}}\npins: {file: p.json}\n");
  ASSERT_FALSE(relative);
  EXPECT_THAT(relative.error().front().ToString(),
              HasSubstr("pins.file: must be an absolute path"));
}

TEST_F(PinsSection, KnowsItsWords) {
  for (const char* wrong : {"change: yes", "trust: me", "scan: on", "threshold: 3", "hold: warn"}) {
    EXPECT_FALSE(Load("servers: {a: {command: x}}\npins: {file: /p, " + std::string(wrong) + "}\n"))
        << wrong;
  }
}

}  // namespace
}  // namespace switchyard::config
