// What decides about alternatives: reasons, and the arguments of another tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "mcp/error_map.h"
#include "mcp/raw_object.h"
#include "policies/lib/argument_map.h"
#include "policies/lib/breaker_words.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/fallback_reason.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using testing::Parsed;

std::string Filled(const std::string& map, const std::string& arguments) {
  const std::expected<ArgumentMap, std::string> parsed = ArgumentMap::Parse(map);
  return parsed ? parsed->Fill(arguments) : "refused: " + parsed.error();
}

TEST(ArgumentMap, AFieldAloneKeepsItsTypeAndHowItIsWritten) {
  EXPECT_EQ(Filled(R"({"q":"{query}"})", R"({"query":"a \"b\" \u00e9"})"),
            R"({"q":"a \"b\" \u00e9"})");
  EXPECT_EQ(Filled(R"({"n":"{n}"})", R"({"n":1.00})"), R"({"n":1.00})");
  EXPECT_EQ(Filled(R"({"n":"{n}"})", R"({"n":12345678901234567890})"),
            R"({"n":12345678901234567890})");
  EXPECT_EQ(Filled(R"({"a":"{a}","b":"{b}"})", R"({"a":[1,{"x":null}],"b":null})"),
            R"({"a":[1,{"x":null}],"b":null})");
}

TEST(ArgumentMap, WithinTextItIsItsText) {
  EXPECT_EQ(
      Filled(R"({"q":"site:{site} {query} top{n}"})", R"({"site":"x.org","query":"a\nb","n":3})"),
      R"({"q":"site:x.org a\nb top3"})");
  EXPECT_EQ(Filled(R"({"q":"{a}{b}"})", R"({"a":"1","b":true})"), R"({"q":"1true"})");
}

TEST(ArgumentMap, WhatIsMissingIsLeftOutOrHasADefault) {
  EXPECT_EQ(Filled(R"({"q":"{query}","l":5})", "{}"), R"({"l":5})");
  EXPECT_EQ(Filled(R"({"q":"in {region}"})", R"({"region":null})"), "{}");
  EXPECT_EQ(Filled(R"({"l":["{a}","{b}"]})", R"({"b":2})"), R"({"l":[2]})");
  EXPECT_EQ(Filled(R"({"n":"{n:-5}","s":"{s:-all of it}","t":"in {r:-eu}","f":"{f:-false}"})", ""),
            R"({"n":5,"s":"all of it","t":"in eu","f":false})");
  EXPECT_EQ(Filled(R"({"n":"{n:-5}"})", R"({"n":7})"), R"({"n":7})");
  EXPECT_EQ(Filled(R"({"n":"{n:-007}"})", "{}"), R"({"n":"007"})");
}

TEST(ArgumentMap, FieldsLieDeeperAndBracesAreDoubled) {
  EXPECT_EQ(Filled(R"({"to":{"end":"{range.end}"}})", R"({"range":{"end":9}})"),
            R"({"to":{"end":9}})");
  EXPECT_EQ(Filled(R"({"to":"{range.end}"})", R"({"range":9})"), "{}");
  EXPECT_EQ(Filled(R"({"q":"{{x}} {a}"})", R"({"a":1})"), R"({"q":"{x} 1"})");
}

TEST(ArgumentMap, OfNoTemplateGivesTheArgumentsThemselves) {
  EXPECT_EQ(ArgumentMap().Fill(R"({"a": 1})"), R"({"a": 1})");
  EXPECT_EQ(ArgumentMap().Fill(""), "{}");
}

TEST(ArgumentMap, RefusesBracesThatAreNoField) {
  for (const char* text :
       {"{", "}", "{}", "{a", "a}", "{a b}", "{.a}", "{a.}", "{a..b}", "{:-1}"}) {
    EXPECT_THAT(Filled(R"({"q":")" + std::string(text) + "\"}", "{}"),
                ::testing::StartsWith("refused: a field reads"))
        << text;
  }
}

// Whatever the arguments are, what comes out is one JSON object with the keys of the template.
TEST(ArgumentMapProperty, AlwaysGivesAnObjectWithNoOtherKeys) {
  FastRandom random(17);
  const std::vector<std::string> values = {"1",
                                           "-0.5e3",
                                           "null",
                                           "true",
                                           R"("x")",
                                           R"("{a}")",
                                           R"("\ud83d\ude00")",
                                           R"([])",
                                           R"({})",
                                           R"([1,"}"])",
                                           R"({"a":{"b":2}})",
                                           R"("\"\\")"};
  const auto pick = [&](const auto& from) { return from[random.Next() % from.size()]; };
  const std::vector<std::string> templates = {"{a}",     "{b}",        "{a.b}", "x{a}y",
                                              "{c:-1}",  "{a}{b}",     "plain", "{{{a}}}",
                                              "{b:-no}", "{a.b:-deep}"};
  for (int i = 0; i < 3000; ++i) {
    mcp::RawObject arguments, map;
    for (const char* key : {"a", "b", "c"}) {
      if (random.Next() % 3 != 0) arguments.Set(key, pick(values));
    }
    for (const char* key : {"p", "q"}) map.SetString(key, pick(templates));
    map.Set("r", "[" + mcp::Quote(pick(templates)) + ",1]");
    const std::string out = Filled(map.ToText(), arguments.ToText());
    ASSERT_TRUE(CanonicalJson(out + " ")) << out << " of " << map.ToText() << arguments.ToText();
    for (const auto& [key, value] : mcp::RawObject::Parse(out).members()) {
      EXPECT_TRUE(key == "p" || key == "q" || key == "r") << out;
    }
    EXPECT_TRUE(mcp::RawObject::Parse(out).Get("r").ends_with("1]")) << out;
  }
}

std::string ReasonWord(const Error& error) {
  const std::optional<FallbackReason> reason = ReasonOf(error);
  return reason ? std::string(ToString(*reason)) : "none";
}

TEST(FallbackReason, IsReadFromWhoRefusedWhatAndWhy) {
  SharedBreaker::Facts facts;
  EXPECT_EQ(ReasonWord(BreakerRefusal("server a", facts, {})), "open");
  EXPECT_EQ(ReasonWord({.code = Code::kUnavailable, .message = ""}), "unavailable");
  EXPECT_EQ(ReasonWord({.code = Code::kRateLimited, .message = "", .data = R"({"limit":"x"})"}),
            "rate");
  EXPECT_EQ(ReasonWord({.code = Code::kRateLimited, .origin = Origin::kServer, .message = ""}),
            "rate");
  EXPECT_EQ(ReasonWord({.code = Code::kRateLimited, .message = "", .data = R"({"budget":"x"})"}),
            "budget");
  EXPECT_EQ(
      ReasonWord({.code = Code::kRateLimited, .message = "", .data = R"({"retryAfterMs":1})"}),
      "overload");
  EXPECT_EQ(ReasonWord({.code = Code::kDeadline, .message = ""}), "timeout");
  EXPECT_EQ(ReasonWord({.code = Code::kProtocol, .message = ""}), "error");
}

TEST(FallbackReason, IsNoneForWhatTheCallerDidOrMayNot) {
  for (const Code code : {Code::kInvalid, Code::kUnauthenticated, Code::kForbidden, Code::kNotFound,
                          Code::kTooLarge, Code::kCancelled}) {
    EXPECT_EQ(ReasonWord({.code = code, .message = ""}), "none") << ToString(code);
  }
}

TEST(FallbackReason, OfAnAnswerThatBlamesTheRequestIsNone) {
  const auto of = [](int code) {
    return ReasonOf(mcp::Message::MakeError("1", code, "no")).has_value();
  };
  EXPECT_TRUE(of(mcp::kInternalError));
  EXPECT_TRUE(of(-32000));
  EXPECT_FALSE(of(mcp::kInvalidParams));
  EXPECT_FALSE(of(mcp::kMethodNotFound));
  EXPECT_FALSE(of(mcp::kHeaderMismatch));
  EXPECT_EQ(ReasonOf(Parsed(R"({"jsonrpc":"2.0","id":1,"result":{"isError":true}})")),
            FallbackReason::kToolError);
  EXPECT_FALSE(ReasonOf(Parsed(R"({"jsonrpc":"2.0","id":1,"result":{}})")).has_value());
  EXPECT_FALSE(ReasonOf(Parsed(R"({"jsonrpc":"2.0","id":1,"result":{"isError":true,"_meta":)"
                               R"({"switchyard/error":{"origin":"client"}}}})"))
                   .has_value());
}

}  // namespace
}  // namespace switchyard::policies
