#include "telemetry/trace.h"

#include <set>

#include <gtest/gtest.h>

#include "base/random.h"

namespace switchyard::telemetry {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string TraceId(const TraceContext& context) {
  const auto id = context.trace_id();
  return {id.data(), id.size()};
}

TEST(Trace, AParentIsReadAndWrittenAsItWas) {
  const auto context = TraceContext::Parse(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->ToHeader(), kParent);
  EXPECT_EQ(TraceId(*context), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_TRUE(context->sampled());
}

TEST(Trace, AChildKeepsTheTraceAndHasASpanOfItsOwn) {
  const auto parent = TraceContext::Parse(kParent);
  const TraceContext child = parent->Child();
  EXPECT_EQ(TraceId(child), TraceId(*parent));
  EXPECT_NE(child.ToHeader(), parent->ToHeader());
  EXPECT_TRUE(child.sampled());
}

TEST(Trace, ARootIsAValidParent) {
  const TraceContext root = TraceContext::NewRoot();
  const auto read = TraceContext::Parse(root.ToHeader());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->ToHeader(), root.ToHeader());
  EXPECT_NE(TraceId(root), TraceId(TraceContext::NewRoot()));
}

TEST(Trace, WhatTheSpecificationForbidsIsRefused) {
  const std::string good(kParent);
  const auto with = [&](std::size_t at, std::string_view text) {
    return std::string(good).replace(at, text.size(), text);
  };
  for (const std::string& bad :
       {std::string(), good.substr(1), with(0, "ff"), with(3, std::string(32, '0')),
        with(36, std::string(16, '0')), with(3, "4BF9"), with(2, "_"), with(53, "zz"), good + "0",
        good + "-extra"}) {
    EXPECT_FALSE(TraceContext::Parse(bad)) << bad;
  }
}

TEST(Trace, ANewerVersionIsReadAsFarAsWeKnowIt) {
  std::string newer(kParent);
  newer[1] = '1';
  EXPECT_TRUE(TraceContext::Parse(newer + "-more"));
  EXPECT_FALSE(TraceContext::Parse(newer + "more"));
}

TEST(Random, TheSameSeedGivesTheSameNumbersAndAnotherOneOthers) {
  FastRandom a(1), b(1), c(2);
  const std::uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
  for (int i = 0; i < 1000; ++i) {
    const double unit = a.NextUnit();
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
  }
}

TEST(Random, SecureNumbersDiffer) {
  std::set<std::array<std::uint8_t, 16>> seen;
  for (int i = 0; i < 10; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    SecureRandom(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

}  // namespace
}  // namespace switchyard::telemetry
