// What servers want to know, in words of each legacy revision.
#include "edge/questions.h"

#include <gtest/gtest.h>

#include "edge/abilities.h"
#include "support/json.h"

namespace switchyard::edge {
namespace {

using mcp::Version;
using tests::At;
using tests::Parse;
using tests::TextAt;

constexpr Askable kAll{
    .form = true, .url = true, .sampling = true, .sampling_tools = true, .roots = true};

mcp::Message Wanting(std::string_view requests) {
  return mcp::Message::FromResult(
      "1", R"({"resultType":"input_required","inputRequests":)" + std::string(requests) + "}");
}

Result<std::vector<Question>> Questions(std::string_view requests, const Askable& can = kAll,
                                        Version version = Version::k2025_11_25) {
  return QuestionsOf(Wanting(requests), can, version, [] { return "minted"; });
}

Question Asking(std::string method) {
  Question question;
  question.method = std::move(method);
  return question;
}

std::string Form(std::string_view property) {
  return R"({"k":{"method":"elicitation/create","params":{"mode":"form","message":"m",)"
         R"("requestedSchema":{"type":"object","properties":{"p":)" +
         std::string(property) + "}}}}}";
}

TEST(Capabilities, OfALegacyClientReadAsAModernOneWouldDeclareThem) {
  const std::tuple<const char*, Version, const char*> cases[] = {
      {R"({"roots":{"listChanged":true},"experimental":{"x":{}},"tasks":{}})", Version::k2025_11_25,
       R"({"roots":{}})"},
      {R"({"elicitation":{}})", Version::k2025_06_18, R"({"elicitation":{"form":{}}})"},
      {R"({"elicitation":{"url":{}}})", Version::k2025_06_18, R"({"elicitation":{"form":{}}})"},
      {R"({"elicitation":{}})", Version::k2025_11_25, R"({"elicitation":{"form":{}}})"},
      {R"({"elicitation":{"url":{}}})", Version::k2025_11_25, R"({"elicitation":{"url":{}}})"},
      {R"({"elicitation":{"form":{},"url":{}}})", Version::k2025_11_25,
       R"({"elicitation":{"form":{},"url":{}}})"},
      {R"({"elicitation":{}})", Version::k2025_03_26, "{}"},
      {R"({"sampling":{"tools":{}}})", Version::k2025_06_18, R"({"sampling":{}})"},
      {R"({"sampling":{"tools":{},"context":{}}})", Version::k2025_11_25,
       R"({"sampling":{"context":{},"tools":{}}})"},
      {"[]", Version::k2025_11_25, "{}"}};
  for (const auto& [legacy, version, modern] : cases) {
    EXPECT_EQ(Parse(ToModernCapabilities(legacy, version)), Parse(modern)) << legacy;
  }
}

TEST(Capabilities, AnEmptyElicitationMeansForms) {
  EXPECT_TRUE(Askable::Of(R"({"elicitation":{}})").form);
  EXPECT_FALSE(Askable::Of(R"({"elicitation":{}})").url);
  EXPECT_FALSE(Askable::Of(R"({"elicitation":{"url":{}}})").form);
  EXPECT_FALSE(Askable::Of("{}").form);
}

TEST(Questions, AreNotPutToAClientThatDidNotDeclareThem) {
  const std::pair<const char*, Askable> cases[] = {
      {R"({"k":{"method":"roots/list"}})", {.sampling = true}},
      {R"({"k":{"method":"sampling/createMessage","params":{}}})", {.roots = true}},
      {R"({"k":{"method":"sampling/createMessage","params":{"tools":[]}}})", {.sampling = true}},
      {R"({"k":{"method":"elicitation/create","params":{}}})", {.url = true}},
      {R"({"k":{"method":"elicitation/create","params":{"mode":"url"}}})", {.form = true}},
      {R"({"k":{"method":"tools/call","params":{}}})", kAll},
      {R"({"k":{"method":"elicitation/create","params":{"mode":"dance"}}})", kAll},
      {R"({"k":7})", kAll},
      {"[]", kAll}};
  for (const auto& [requests, can] : cases) {
    EXPECT_FALSE(Questions(requests, can).has_value()) << requests;
  }
  EXPECT_FALSE(Questions(R"({"k":{"method":"elicitation/create","params":{"mode":"url"}}})", kAll,
                         Version::k2025_06_18))
      << "no url below 2025-11-25, whatever was declared";
  EXPECT_FALSE(Questions(Form("{}"), kAll, Version::k2025_03_26));
}

TEST(Questions, AreBoundedInNumber) {
  std::string many = "{";
  for (std::size_t i = 0; i <= kMaxQuestions; ++i) {
    many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"method":"roots/list"})";
  }
  EXPECT_FALSE(Questions(many + "}").has_value());
}

TEST(Questions, ByUrlGetAnIdThatModernServersDoNotGive) {
  const auto questions = Questions(
      R"({"k":{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://a"}}})");
  ASSERT_TRUE(questions.has_value());
  EXPECT_EQ((*questions)[0].url, "https://a");
  EXPECT_EQ(TextAt(Parse((*questions)[0].params), "/elicitationId"), "minted");
  EXPECT_EQ(TextAt(Parse((*questions)[0].params), "/mode"), "url");
}

TEST(Questions, ToA20250618ClientUseItsWordsForChoices) {
  const auto one = Questions(
      Form(R"({"type":"string","default":"a","oneOf":[{"const":"a","title":"A"},{"const":"b"}]})"),
      kAll, Version::k2025_06_18);
  ASSERT_TRUE(one.has_value());
  const auto params = Parse((*one)[0].params);
  EXPECT_TRUE(At(params, "/mode").is_null());
  EXPECT_EQ(At(params, "/requestedSchema/properties/p"),
            Parse(R"({"type":"string","enum":["a","b"],"enumNames":["A","b"]})"));
  const auto flag =
      Questions(Form(R"({"type":"boolean","default":true})"), kAll, Version::k2025_06_18);
  EXPECT_EQ(At(Parse((*flag)[0].params), "/requestedSchema/properties/p/default"), true);
}

TEST(Questions, ThatA20250618ClientHasNoWordsForAreCancelledInItsPlace) {
  const auto many = Questions(Form(R"({"type":"array","items":{"type":"string","enum":["a"]}})"),
                              kAll, Version::k2025_06_18);
  ASSERT_TRUE(many.has_value());
  EXPECT_EQ((*many)[0].answer, R"({"action":"cancel"})");
  const auto newest = Questions(Form(R"({"type":"array","items":{"enum":["a"]}})"));
  EXPECT_EQ((*newest)[0].answer, "");
}

TEST(Questions, ThatNeedNoOtherWordsGoOnByteForByte) {
  const std::string params =
      R"({"messages":[ {"n":1.50e+02,"big":12345678901234567890123}],"x":"\u00e9"})";
  const auto sampling =
      Questions(R"({ "k" : {"method":"sampling/createMessage","params":)" + params + "} }");
  ASSERT_TRUE(sampling.has_value());
  EXPECT_EQ((*sampling)[0].params, params);
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"a":)";
  deep += "1" + std::string(100, '}');
  const auto form = Questions(Form(deep));
  ASSERT_TRUE(form.has_value());
  EXPECT_TRUE((*form)[0].params.contains(deep));
}

TEST(Questions, AnErrorOfTheClientCancelsAnElicitationAndEndsTheRest) {
  const auto error = mcp::Message::MakeError("1", -1, "user said no");
  EXPECT_EQ(*AnswerOf(Asking("elicitation/create"), error), R"({"action":"cancel"})");
  const auto sampling = AnswerOf(Asking("sampling/createMessage"), error);
  ASSERT_FALSE(sampling.has_value());
  EXPECT_EQ(sampling.error().rpc_code, -1);
  EXPECT_TRUE(sampling.error().message.contains("user said no"));
}

}  // namespace
}  // namespace switchyard::edge
