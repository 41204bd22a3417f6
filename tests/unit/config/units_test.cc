#include "config/units.h"

#include <gtest/gtest.h>

namespace switchyard::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsANumberWithAUnit) {
  EXPECT_EQ(ParseDuration("250ms"), 250ms);
  EXPECT_EQ(ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(ParseDuration("5m"), 5min);
  EXPECT_EQ(ParseDuration("2h"), 2h);
  EXPECT_EQ(ParseDuration("1d"), 24h);
  EXPECT_EQ(ParseDuration("7us"), 7us);
  EXPECT_EQ(ParseDuration("0s"), 0s);
}

TEST(Duration, SaysWhyItIsNone) {
  EXPECT_EQ(ParseDuration("30").error(), UnitError::kNoUnit);
  EXPECT_EQ(ParseDuration("1.5").error(), UnitError::kNoUnit);
  for (const char* text : {"", "s", "-3s", "+3s", "3 s", "3S", "1e3s", "1.s", ".5s", "1.2.3s",
                           "3sec", "infs", "1h30m", " 3s", "3s "}) {
    EXPECT_EQ(ParseDuration(text).error(), UnitError::kMalformed) << text;
  }
  EXPECT_EQ(ParseDuration("99999999999d").error(), UnitError::kTooLarge);
  EXPECT_EQ(ParseDuration("99999999999999999999999s").error(), UnitError::kTooLarge);
  EXPECT_EQ(ParseDuration("9223372036.9s").error(), UnitError::kTooLarge);
}

TEST(Bytes, TakeDecimalAndBinaryUnitsAndNone) {
  EXPECT_EQ(ParseBytes("64KiB"), 65536U);
  EXPECT_EQ(ParseBytes("4MB"), 4'000'000U);
  EXPECT_EQ(ParseBytes("1.5MiB"), 1'572'864U);
  EXPECT_EQ(ParseBytes("3kB"), 3'000U);
  EXPECT_EQ(ParseBytes("512B"), 512U);
  EXPECT_EQ(ParseBytes("4096"), 4096U);
}

TEST(Bytes, SayWhyTheyAreNone) {
  for (const char* text : {"", "-1", "4 MB", "4mb", "MB", "0x10", "4TB"}) {
    EXPECT_EQ(ParseBytes(text).error(), UnitError::kMalformed) << text;
  }
  EXPECT_EQ(ParseBytes("9223372036854775808").error(), UnitError::kTooLarge);
  EXPECT_EQ(ParseBytes("9999999999GiB").error(), UnitError::kTooLarge);
}

TEST(Number, IsFiniteAndNothingElse) {
  EXPECT_EQ(ParseNumber("0.25"), 0.25);
  EXPECT_EQ(ParseNumber("-1e3"), -1000.0);
  for (const char* text : {"", "inf", "nan", "1x", " 1", "1e999"}) {
    EXPECT_FALSE(ParseNumber(text)) << text;
  }
  EXPECT_EQ(ParseInteger("-12"), -12);
  for (const char* text : {"", "1.0", "0x1", "99999999999999999999", "1 "}) {
    EXPECT_FALSE(ParseInteger(text)) << text;
  }
}

TEST(Format, IsReadBack) {
  for (const auto value :
       {0ns, 1ns, 1500000000ns, std::chrono::nanoseconds(90s), 86400000000000ns}) {
    EXPECT_EQ(ParseDuration(FormatDuration(value)), value) << FormatDuration(value);
  }
  EXPECT_EQ(FormatDuration(90s), "90s");
  EXPECT_EQ(FormatDuration(1500ms), "1500ms");
  EXPECT_EQ(FormatBytes(4 << 20), "4MiB");
  EXPECT_EQ(FormatBytes(1000), "1000B");
  EXPECT_EQ(FormatBytes(0), "0B");
}

}  // namespace
}  // namespace switchyard::config
