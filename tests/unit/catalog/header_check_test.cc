#include "catalog/header_check.h"

#include <gtest/gtest.h>

namespace switchyard::catalog {
namespace {

constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"lang":{"type":"string","x-mcp-header":"Lang"},)"
    R"("count":{"type":"integer","x-mcp-header":"Count"},"free":{"type":"string"},)"
    R"("deep":{"type":"object","properties":{"on":{"type":"boolean","x-mcp-header":"On"}}}}})";

// The code of the refusal, 0 = fine.
int Check(const std::string& arguments, std::vector<std::pair<std::string, std::string>> sent,
          std::string_view schema = kSchema) {
  Definition tool;
  tool.param_marks = mcp::FindParamMarks(schema).legal;
  Call call;
  call.message = mcp::Message::Make(
      "1", "tools/call",
      R"({"name":"t")" + (arguments.empty() ? "" : R"(,"arguments":)" + arguments) + "}");
  call.target.definition = &tool;
  call.header_params = {.expected = true, .sent = std::move(sent)};
  const Result<void> checked = CheckHeaderParams(call);
  return checked ? 0 : checked.error().rpc_code;
}

TEST(HeaderCheck, HeadersThatSayWhatTheBodySaysAreFine) {
  EXPECT_EQ(Check(R"({"lang":"\u00e9","count":42,"deep":{"on":true}})",
                  {{"LANG", "=?base64?w6k=?="}, {"Count", "42.0"}, {"on", "true"}}),
            0);
}

TEST(HeaderCheck, AMissingOrDifferentOneIsAMismatch) {
  EXPECT_EQ(Check(R"({"lang":"en"})", {}), -32020);
  EXPECT_EQ(Check(R"({"lang":"en"})", {{"Lang", "de"}}), -32020);
  EXPECT_EQ(Check(R"({"deep":{"on":true}})", {{"On", "false"}}), -32020);
  EXPECT_EQ(Check(R"({"lang":"en"})", {{"Lang", "=?base64?%%%?="}}), -32020);
}

TEST(HeaderCheck, OneThatIsThereTwiceIsAMismatchWhateverItSays) {
  EXPECT_EQ(Check(R"({"lang":"en"})", {{"Lang", "en"}, {"LANG", "de"}}), -32020);
  EXPECT_EQ(Check(R"({"lang":"en"})", {{"Lang", "en"}, {"LANG", "en"}}), -32020);
}

TEST(HeaderCheck, NoneIsExpectedOfWhatIsNotThere) {
  EXPECT_EQ(Check("", {}), 0);
  EXPECT_EQ(Check(R"({"lang":null})", {}), 0);
  EXPECT_EQ(Check(R"({"lang":null})", {{"Lang", "en"}}), -32020);
  EXPECT_EQ(Check(R"({"free":"x"})", {{"Tenant", "t"}}), 0) << "not marked: not ours to judge";
}

TEST(HeaderCheck, ASchemaWithoutMarksAsksForNothing) {
  EXPECT_EQ(Check(R"({"lang":"en"})", {{"Lang", "de"}}, R"({"type":"object"})"), 0);
}

}  // namespace
}  // namespace switchyard::catalog
