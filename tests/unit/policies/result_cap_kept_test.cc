// What is kept of results that were cut: by whom it is read, how long, and at whose cost.
#include <memory>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/result_cap_fixture.h"

namespace switchyard::policies {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using testing::Lines;
using testing::ResultCapPolicy;
using testing::Text;

TEST_F(ResultCapPolicy, OnlyWhoCalledReadsTheRest) {
  With("max_bytes: 1KiB");
  caller_.subject = "ann";
  const std::string handle = HandleOf(Call(Text(Lines(500))));
  EXPECT_FALSE(Read(Ask(handle, 2)).contains("isError"));
  caller_.subject = "bob";
  EXPECT_EQ(Read(Ask(handle, 2)).at("isError"), true);
  caller_.subject = "ann";
  endpoint_ = "other";
  EXPECT_EQ(Read(Ask(handle, 2)).at("isError"), true);
}

TEST_F(ResultCapPolicy, WhoIsNobodyReadsItInTheSameSessionOnly) {
  With("max_bytes: 1KiB");
  const auto session = [](const std::string& name) {
    Client client;
    client.session = name;
    return std::make_shared<const Client>(client);
  };
  client_ = session("one");
  const std::string handle = HandleOf(Call(Text(Lines(500))));
  EXPECT_FALSE(Read(Ask(handle, 2)).contains("isError"));
  client_ = session("two");
  EXPECT_EQ(Read(Ask(handle, 2)).at("isError"), true);
}

TEST_F(ResultCapPolicy, TheRestIsGoneAfterItsTime) {
  With("{max_bytes: 1KiB, keep: 1m}");
  const std::string handle = HandleOf(Call(Text(Lines(500))));
  clock_.Advance(std::chrono::seconds(59));
  EXPECT_FALSE(Read(Ask(handle, 2)).contains("isError"));
  clock_.Advance(std::chrono::seconds(1));
  const json::object gone = Read(Ask(handle, 2));
  EXPECT_EQ(gone.at("isError"), true);
  EXPECT_THAT(TextAt(gone, 0), HasSubstr("Call the tool again"));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(switchyard_result_pages_total{outcome="gone"} 1)"));
}

TEST_F(ResultCapPolicy, WhatIsKeptIsBoundedAndTheLongestUnreadGoesFirst) {
  With("{max_bytes: 1KiB, keep_bytes: 64KiB}");
  const std::string first = HandleOf(Call(Text(Lines(2000))));
  const std::string second = HandleOf(Call(Text(Lines(2001))));
  EXPECT_FALSE(Read(Ask(first, 2)).contains("isError"));
  HandleOf(Call(Text(Lines(2002))));
  EXPECT_FALSE(Read(Ask(first, 2)).contains("isError"));
  EXPECT_EQ(Read(Ask(second, 2)).at("isError"), true);
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_kept_results_dropped_total 1"));
}

TEST_F(ResultCapPolicy, AnEqualResultOfACallerIsKeptOnce) {
  With("{max_bytes: 1KiB, keep_bytes: 64KiB}");
  const std::string first = HandleOf(Call(Text(Lines(2000))));
  // As a cache gives it again and again.
  for (int i = 0; i < 10; ++i) {
    Call(Text(Lines(2000), R"(,"_meta":{"switchyard/cache":{"ageMs":)" + std::to_string(i) + "}}"));
  }
  EXPECT_FALSE(Read(Ask(first, 2)).contains("isError"));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_kept_results_dropped_total 0"));
}

TEST_F(ResultCapPolicy, WhoHasMuchKeptMakesRoomForItselfAndNotAtTheCostOfOthers) {
  With("{max_bytes: 1KiB, keep_bytes: 256KiB}");
  caller_.subject = "ann";
  const std::string handle = HandleOf(Call(Text(Lines(2000))));
  caller_.subject = "bob";
  for (std::size_t i = 0; i < 50; ++i) Call(Text(Lines(2001 + i)));
  caller_.subject = "ann";
  EXPECT_FALSE(Read(Ask(handle, 2)).contains("isError"));
}

TEST_F(ResultCapPolicy, ACutResultIsItsCallersAloneAndKeptNoLongerThanItsRest) {
  With("{max_bytes: 1KiB, keep: 1m}");
  const std::string hints = R"(,"cacheScope":"public","ttlMs":3600000)";
  const json::object cut = Call(Text(Lines(500), hints));
  EXPECT_EQ(cut.at("cacheScope"), "private");
  EXPECT_EQ(cut.at("ttlMs"), 60'000);
  const json::object whole = Call(Text("short", hints));
  EXPECT_EQ(whole.at("cacheScope"), "public");
  EXPECT_EQ(whole.at("ttlMs"), 3'600'000);
  EXPECT_EQ(Call(Text(Lines(500), R"(,"ttlMs":5)")).at("ttlMs"), 5);
}

TEST_F(ResultCapPolicy, APageWithNothingOnItIsStillAResult) {
  With("max_bytes: 1KiB");
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  const json::object first = Call(R"({"content":[],"structuredContent":{"a":)" + deep + "}}");
  const json::object again = Read(Ask(HandleOf(first), 1));
  EXPECT_EQ(Blocks(again), 1U) << "the note";
  EXPECT_THAT(TextAt(again, 0), HasSubstr("Page 1 of"));
}

TEST_F(ResultCapPolicy, ThePageBeforeTheRestOfAStructureHasItsBeginning) {
  With("max_bytes: 1KiB");
  json::array rows;
  for (int i = 0; i < 500; ++i) rows.push_back(i);
  const json::object first = Call(R"({"content":[],"structuredContent":)" +
                                  json::serialize(json::object{{"r", rows}}) + "}");
  const json::object again = Read(Ask(HandleOf(first), 1));
  EXPECT_EQ(json::parse(TextAt(again, 0)), first.at("structuredContent"));
}

TEST_F(ResultCapPolicy, WhatIsTooLargeToKeepSaysSo) {
  With("{max_bytes: 1KiB, keep_bytes: 4KiB}");
  const json::object result = Call(Text(Lines(2000)));
  EXPECT_EQ(HandleOf(result), "");
  EXPECT_THAT(TextAt(result, 1), HasSubstr("The rest was not kept"));
}

TEST_F(ResultCapPolicy, WithNothingKeptTheToolIsNotOffered) {
  With("{max_bytes: 1KiB, keep: 0s}");
  EXPECT_FALSE(reader_->IsOfferedWith(*set_));
  EXPECT_THAT(TextAt(Call(Text(Lines(2000))), 1), HasSubstr("The rest was not kept"));
}

}  // namespace
}  // namespace switchyard::policies
