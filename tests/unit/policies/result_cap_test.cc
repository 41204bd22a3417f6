#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mcp/json_string.h"
#include "policies/lib/result_block.h"
#include "policies/lib/token_count.h"
#include "unit/policies/page_example.h"
#include "unit/policies/result_cap_fixture.h"

namespace switchyard::policies {
namespace {

namespace json = boost::json;
using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Lines;
using testing::Progress;
using testing::ResultCapPolicy;
using testing::Text;

TEST_F(ResultCapPolicy, IsOffUnlessItIsAskedFor) {
  With("{}");
  EXPECT_EQ(TextAt(Call(Text(Lines(100'000))), 0), Lines(100'000));
  EXPECT_FALSE(reader_->IsOfferedWith(*set_));
}

TEST_F(ResultCapPolicy, AResultThatFitsIsLeftAsItIs) {
  With("max_bytes: 1KiB");
  const std::string result = Text(std::string(900, 'x'), R"(,"isError":false,"x":[1, 2])");
  EXPECT_EQ(Call(result), json::parse(result).as_object());
  // Escapes make it long to write, not to read.
  const std::string escaped = Text(std::string(900, '\n'));
  EXPECT_EQ(Call(escaped), json::parse(escaped).as_object());
}

TEST_F(ResultCapPolicy, TextIsCutAtALineAndSaysHowMuchOfHowMuchItIs) {
  With("max_bytes: 1KiB");
  const json::object result = Call(Text(Lines(500)));
  const std::string shown = TextAt(result, 0);
  EXPECT_LE(shown.size(), 1024U);
  EXPECT_GT(shown.size(), 900U);
  EXPECT_TRUE(shown.ends_with("\n")) << shown;
  EXPECT_TRUE(Lines(500).starts_with(shown));
  EXPECT_THAT(TextAt(result, 1), HasSubstr("This result is cut: " + ShortBytes(shown.size()) +
                                           " of " + ShortBytes(Lines(500).size()) + ", page 1 of"));
  EXPECT_THAT(TextAt(result, 1), HasSubstr("switchyard_read_result"));
  EXPECT_TRUE(reader_->IsOfferedWith(*set_));
}

TEST_F(ResultCapPolicy, PagesJoinToTheWhole) {
  With("max_bytes: 1KiB");
  EXPECT_EQ(ReadAll(Call(Text(Lines(500)))), Lines(500));
}

TEST_F(ResultCapPolicy, TextThatIsJsonIsCutBetweenElementsAndStaysJson) {
  With("max_bytes: 1KiB");
  json::array rows;
  for (int i = 0; i < 200; ++i) rows.push_back({{"id", i}, {"name", "row " + std::to_string(i)}});
  const std::string text = json::serialize(json::object{{"rows", rows}, {"total", 200}});
  const json::object first = Call(Text(text));
  json::array joined;
  const auto pages = first.at("_meta").at("switchyard/cut").at("pages").as_int64();
  for (int page = 1; page <= pages; ++page) {
    const json::object result = page == 1 ? first : Read(Ask(HandleOf(first), page));
    const json::value part = json::parse(TextAt(result, 0));
    if (const json::value* more = part.as_object().if_contains("rows")) {
      for (const json::value& row : more->as_array()) joined.push_back(row);
    }
    EXPECT_EQ(part.as_object().contains("total"), page == pages);
    if (page == 2) EXPECT_THAT(TextAt(result, 1), HasSubstr(", from /rows/"));
  }
  EXPECT_EQ(joined, rows);
}

TEST_F(ResultCapPolicy, StructuredContentIsCutLikeTheTextThatSaysTheSame) {
  With("max_bytes: 1KiB");
  json::array rows;
  for (int i = 0; i < 500; ++i) rows.push_back(i);
  const json::object structured{{"rows", rows}};
  const json::object result = Call(
      Text(json::serialize(structured), R"(,"structuredContent":)" + json::serialize(structured)));
  EXPECT_EQ(json::parse(TextAt(result, 0)), result.at("structuredContent"));
  EXPECT_LE(json::serialize(result.at("structuredContent")).size(), 1024U);
  // Its rest is read once, not twice.
  EXPECT_LE(result.at("_meta").at("switchyard/cut").at("pages").as_int64(), 3);
}

TEST_F(ResultCapPolicy, StructuredContentAloneHasPagesToo) {
  With("max_bytes: 1KiB");
  json::array rows;
  for (int i = 0; i < 500; ++i) rows.push_back(i);
  const json::object first = Call(
      Text("see there", R"(,"structuredContent":)" + json::serialize(json::object{{"r", rows}})));
  EXPECT_EQ(TextAt(first, 0), "see there");
  json::array joined = first.at("structuredContent").at("r").as_array();
  const auto pages = first.at("_meta").at("switchyard/cut").at("pages").as_int64();
  for (int page = 2; page <= pages; ++page) {
    const json::value part = json::parse(TextAt(Read(Ask(HandleOf(first), page)), 0));
    for (const json::value& row : part.at("r").as_array()) joined.push_back(row);
  }
  EXPECT_EQ(joined, rows);
}

TEST_F(ResultCapPolicy, ABinaryThatNoPageCanHoldIsReplacedByADescription) {
  With("max_bytes: 1KiB");
  const std::string image = R"({"type":"image","mimeType":"image/png","data":")";
  const json::object result = Call(R"({"content":[)" + image + std::string(4000, 'A') +
                                   R"("},{"type":"text","text":"t"}]})");
  EXPECT_EQ(TextAt(result, 0),
            "[image, image/png, 2.9 KiB: left out, for no result may be that large]");
  EXPECT_EQ(TextAt(result, 1), "t");
  EXPECT_EQ(HandleOf(result), "");
}

TEST_F(ResultCapPolicy, ABinaryThatAPageCanHoldIsMovedToTheNext) {
  With("max_bytes: 1KiB");
  const std::string image =
      R"({"type":"image","mimeType":"image/png","data":")" + std::string(700, 'A') + R"("})";
  const json::object first =
      Call(R"({"content":[{"type":"text","text":)" + mcp::Quote(Lines(80)) + "}," + image + "]}");
  const json::object second = Read(Ask(HandleOf(first), 2));
  EXPECT_EQ(second.at("content").as_array().at(0), json::parse(image));
}

TEST_F(ResultCapPolicy, WhatAnErrorIsAndMetaStay) {
  With("max_bytes: 1KiB");
  const json::object result =
      Call(Text(Lines(500), R"(,"isError":true,"_meta":{"a/b":1},"resultType":"complete")"));
  EXPECT_EQ(result.at("isError"), true);
  EXPECT_EQ(result.at("_meta").at("a/b"), 1);
  EXPECT_EQ(result.at("resultType"), "complete");
}

TEST_F(ResultCapPolicy, QuestionsAndTasksAreNotCut) {
  With("max_bytes: 1KiB");
  for (const char* type : {"input_required", "task"}) {
    const std::string result =
        R"({"resultType":")" + std::string(type) + R"(","x":")" + std::string(5000, 'x') + R"("})";
    EXPECT_EQ(Call(result), json::parse(result).as_object());
  }
}

TEST_F(ResultCapPolicy, TokensAreACapAsWell) {
  With("max_tokens: 256");
  const json::object result = Call(Text(Lines(500)));
  EXPECT_LE(EstimatedTokens()->Count(TextAt(result, 0)), 256U);
  EXPECT_GT(EstimatedTokens()->Count(TextAt(result, 0)), 200U);
  EXPECT_EQ(ReadAll(result), Lines(500));
}

TEST_F(ResultCapPolicy, BadArgumentsOfTheToolAreExplained) {
  With("max_bytes: 1KiB");
  const std::string handle = HandleOf(Call(Text(Lines(500))));
  EXPECT_THAT(TextAt(Read("{}"), 0), HasSubstr("\"handle\" is missing"));
  EXPECT_THAT(TextAt(Read(R"({"handle":7})"), 0), HasSubstr("\"handle\" is missing"));
  EXPECT_THAT(TextAt(Read(R"({"handle":"x","page":"2"})"), 0), HasSubstr("a whole number"));
  EXPECT_THAT(TextAt(Read(R"({"handle":"forged"})"), 0), HasSubstr("nothing behind this handle"));
  EXPECT_THAT(TextAt(Read(Ask(handle, 1000)), 0), HasSubstr("The last page of this result is"));
}

TEST_F(ResultCapPolicy, AResultBehindNotificationsIsCutToo) {
  With("max_bytes: 1KiB");
  service_.answer = [](switchyard::Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), Answer(Text(Lines(500))));
  };
  switchyard::Call call = MakeCall("read", "{}");
  const json::object result = ResultOf(loop_.Run(policy_->Handle(call, service_)));
  EXPECT_LE(TextAt(result, 0).size(), 1024U);
}

TEST_F(ResultCapPolicy, AResultThatWasEditedOnItsWayIsCutAsItWouldBeWritten) {
  With("max_bytes: 1KiB");
  service_.answer = [](switchyard::Call&) -> Result<ReplyPtr> {
    mcp::Message message =
        testing::Parsed(R"({"jsonrpc":"2.0","id":"c1","result":)" + Text(Lines(500)) + "}");
    message.SetResult(Text("now short"));
    return ReplyWith(std::move(message));
  };
  switchyard::Call call = MakeCall("read", "{}");
  const json::object result = ResultOf(loop_.Run(policy_->Handle(call, service_)));
  EXPECT_EQ(TextAt(result, 0), "now short");
}

TEST_F(ResultCapPolicy, CutsAreCounted) {
  With("max_bytes: 1KiB");
  const json::object result = Call(Text(Lines(500)));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr(R"(switchyard_results_cut_total{server="files"} 1)"));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(switchyard_result_bytes_cut_total{server="files"} )" +
                        std::to_string(Lines(500).size() - TextAt(result, 0).size())));
}

TEST_F(ResultCapPolicy, SmallCapsAndMissingVocabulariesAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("result_cap", "max_bytes: 100"),
              ElementsAre("max_bytes: must be 0 or at least 1KiB"));
  EXPECT_THAT(testing::ProblemsOf("result_cap", "max_tokens: 10"),
              ElementsAre("max_tokens: must be 0 or at least 256"));
  EXPECT_THAT(testing::ProblemsOf("result_cap", "vocabulary: /no/such/file"),
              ElementsAre(HasSubstr("vocabulary: /no/such/file: ")));
  EXPECT_THAT(testing::ProblemsOf("result_cap", "pattern: gpt9"), ElementsAre(HasSubstr("o200k")));
}

TEST_F(ResultCapPolicy, TheExampleOfItsPageIsReadAndCuts) {
  const std::string settings = testing::ExampleOf("result_cap");
  ASSERT_THAT(testing::ProblemsOf("result_cap", settings), ElementsAre());
  With(settings);
  EXPECT_NE(HandleOf(Call(Text(Lines(20'000)))), "");
}

}  // namespace
}  // namespace switchyard::policies
