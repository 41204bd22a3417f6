// How long, and for whom, merged lists may be kept.
#include <gtest/gtest.h>

#include "support/json.h"
#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using testing::Merge;
using testing::TestServer;
using testing::Tool;
using tests::At;
using tests::Parse;

TestServer Hinted(const std::string& name, ListHint tools) {
  TestServer server(name);
  server.Tools({Tool("t"), Tool("u")}).Capabilities(R"({"tools":{}})");
  server.inventory->hints[static_cast<std::size_t>(ItemKind::kTool)] = tools;
  return server;
}

std::string HintOfList(const std::vector<TestServer>& servers, std::string_view cursor = "") {
  const auto list = Merge(servers)->List(mcp::Method::kToolsList, mcp::kModern, cursor);
  const auto value = Parse(**list);
  return std::to_string(At(value, "/ttlMs").as_int64()) + " " + tests::TextAt(value, "/cacheScope");
}

TEST(Hints, TheStrictestOfAllServersHolds) {
  EXPECT_EQ(HintOfList({Hinted("a", {.ttl_ms = 60'000, .shared = true}),
                        Hinted("b", {.ttl_ms = 30'000, .shared = true})}),
            "30000 public");
  EXPECT_EQ(HintOfList({Hinted("a", {.ttl_ms = 60'000, .shared = true}),
                        Hinted("b", {.ttl_ms = 90'000, .shared = false})}),
            "60000 private");
}

TEST(Hints, OfServersWithoutSuchItemsDoNotCount) {
  EXPECT_EQ(HintOfList({Hinted("a", {.ttl_ms = 60'000, .shared = true}),
                        TestServer("b").Resource("x:1").Capabilities(R"({"resources":{}})")}),
            "60000 public");
}

TEST(Hints, AListThatLacksAServerIsNotToBeKept) {
  EXPECT_EQ(HintOfList({Hinted("a", {.ttl_ms = 60'000, .shared = true}),
                        TestServer("b").Down("starting")}),
            "0 private");
}

TEST(Hints, AllPagesOfAListSayTheSame) {
  Catalog::Options options;
  options.page_size = 1;
  const auto catalog = Merge({Hinted("a", {.ttl_ms = 60'000, .shared = true})}, options);
  const auto first = Parse(**catalog->List(mcp::Method::kToolsList, mcp::kModern, {}));
  const auto second = Parse(
      **catalog->List(mcp::Method::kToolsList, mcp::kModern, tests::TextAt(first, "/nextCursor")));
  EXPECT_EQ(tests::TextAt(first, "/cacheScope"), "public");
  EXPECT_EQ(tests::TextAt(second, "/cacheScope"), "public");
}

TEST(Hints, AreReadOfAModernServerAndGuessedOfALegacyOne) {
  ServerFacts modern;
  const auto hint = [](const std::string& members, const ServerFacts& facts) {
    const ListHint read =
        HintOf(mcp::Message::FromResult("1", R"({"tools":[])" + members + "}"), facts, "tools");
    return std::to_string(read.ttl_ms) + (read.shared ? " public" : " private");
  };
  EXPECT_EQ(hint(R"(,"ttlMs":7000,"cacheScope":"public")", modern), "7000 public");
  EXPECT_EQ(hint(R"(,"ttlMs":-1,"cacheScope":"else")", modern), "0 private");
  EXPECT_EQ(hint("", modern), "0 private");
  EXPECT_EQ(hint(R"(,"ttlMs":99999999999999)", modern), "86400000 private");
  ServerFacts legacy;
  legacy.version = mcp::kNewestLegacy;
  EXPECT_EQ(hint("", legacy), "0 private");
  legacy.capabilities = R"({"tools":{"listChanged":true}})";
  EXPECT_EQ(hint("", legacy), "5000 private");
}

TEST(Hints, CompletionIsTriedWhereTheEraHadNoWordForIt) {
  TestServer old("a");
  old.Prompts({R"({"name":"p"})"}).Capabilities(R"({"prompts":{}})");
  EXPECT_FALSE(Merge({old})->Offers("completions"));
  old.inventory->facts.version = mcp::Version::k2024_11_05;
  EXPECT_TRUE(Merge({old})->Offers("completions"));
}

}  // namespace
}  // namespace switchyard::catalog
