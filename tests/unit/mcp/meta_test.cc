#include "mcp/meta.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

Message Request(const std::string& rest) {
  return Message::Parse(R"({"jsonrpc":"2.0","id":1,"method":"x")" + rest + "}").value();
}

Message ResultOf(const std::string& result) {
  return Message::Parse(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}").value();
}

// The result after an edit, without its frame.
template <class Edit>
std::string After(const std::string& result, Edit edit) {
  const Message message = ResultOf(result);
  Edits edits;
  edit(message, edits);
  const std::string text = edits.Apply(message.bytes());
  EXPECT_TRUE(Message::Parse(text)) << text;
  constexpr std::string_view kFrame = R"({"jsonrpc":"2.0","id":1,"result":)";
  return text.substr(kFrame.size(), text.size() - kFrame.size() - 1);
}

std::string Stripped(const std::string& result) { return After(result, StripModernResult); }

std::string Completed(const std::string& result, std::optional<CacheHint> hint = {}) {
  return After(result, [&](const Message& m, Edits& e) { AddResultType(m, e, hint); });
}

TEST(RequestMeta, ModernHasWhatIsRequiredAndNothingEmpty) {
  EXPECT_EQ(ModernRequestMeta({}, ""), R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                                       R"("io.modelcontextprotocol/clientCapabilities":{}})");
}

TEST(RequestMeta, ModernHasEverythingGiven) {
  const MetaFields fields{.client_capabilities = R"({"roots":{}})",
                          .client_info = R"({"name":"a"})",
                          .log_level = "warning",
                          .progress_token = R"("p")",
                          .trace_parent = R"("00-x")"};
  EXPECT_EQ(ModernRequestMeta(fields, R"("a":1,"b":2)"),
            R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
            R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}},)"
            R"("io.modelcontextprotocol/clientInfo":{"name":"a"},)"
            R"("io.modelcontextprotocol/logLevel":"warning",)"
            R"("progressToken":"p","traceparent":"00-x","a":1,"b":2})");
}

TEST(RequestMeta, LegacyKnowsOnlyWhatIsCommon) {
  EXPECT_EQ(LegacyRequestMeta({}, ""), "");
  EXPECT_EQ(LegacyRequestMeta({.client_capabilities = "{}", .log_level = "info"}, ""), "");
  EXPECT_EQ(LegacyRequestMeta({.client_info = "{}", .progress_token = "5"}, ""),
            R"({"progressToken":5})");
  EXPECT_EQ(LegacyRequestMeta({}, R"("a":1)"), R"({"a":1})");
  EXPECT_EQ(LegacyRequestMeta({.trace_parent = R"("t")"}, R"("a":1)"),
            R"({"traceparent":"t","a":1})");
}

TEST(SetParamsMeta, PutsItIntoAnyShapeOfParams) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", R"(,"params":{"_meta":{"n":1}})"},
      {" ", R"( ,"params":{"_meta":{"n":1}})"},
      {R"(,"params":{})", R"(,"params":{"_meta":{"n":1}})"},
      {R"(,"params":{ })", R"(,"params":{ "_meta":{"n":1}})"},
      {R"(,"params":{"a":"}"})", R"(,"params":{"a":"}","_meta":{"n":1}})"},
      {R"(,"params":{"a":1 } )", R"(,"params":{"a":1 ,"_meta":{"n":1}} )"},
      {R"(,"params":{"_meta":{"o":2}})", R"(,"params":{"_meta":{"n":1}})"},
      {R"(,"params":{"a":1,"_meta":null,"b":2})", R"(,"params":{"a":1,"_meta":{"n":1},"b":2})"},
  };
  for (const auto& [before, after] : kCases) {
    Message message = Request(before);
    SetParamsMeta(message, message.edits(), R"({"n":1})");
    EXPECT_EQ(message.ToText(), Request(after).bytes()) << before;
  }
}

TEST(SetParamsMeta, AskingAgainReplaces) {
  for (const char* shape :
       {"", R"(,"params":{})", R"(,"params":{"a":1})", R"(,"params":{"_meta":{}})"}) {
    Message message = Request(shape);
    SetParamsMeta(message, message.edits(), "");
    SetParamsMeta(message, message.edits(), R"({"first":1})");
    SetParamsMeta(message, message.edits(), R"({"second":2})");
    const std::string text = message.ToText();
    EXPECT_TRUE(Message::Parse(text)) << text;
    EXPECT_EQ(text.find("first"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("_meta":{"second":2})"), std::string::npos) << text;
  }
}

TEST(SetParamsMeta, NothingLeavesNoneOrAnEmptyOne) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", ""},
      {R"(,"params":{"a":1})", R"(,"params":{"a":1})"},
      {R"(,"params":{"_meta":{"o":2}})", R"(,"params":{"_meta":{}})"},
  };
  for (const auto& [before, after] : kCases) {
    Message message = Request(before);
    SetParamsMeta(message, message.edits(), "");
    EXPECT_EQ(message.ToText(), Request(after).bytes());
  }
}

TEST(SetParamsMeta, WorksTogetherWithAnotherIdAndName) {
  Message message = Request(R"(,"params":{"name":"wiki.search","task":{},"arguments":{}})");
  message.SetId("99");
  message.edits().Replace(message.member(Key::kName).value, R"("search")");
  message.edits().RemoveMember(message.bytes(), message.member(Key::kTask));
  SetParamsMeta(message, message.edits(), "{}");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":99,"method":"x",)"
                              R"("params":{"name":"search","arguments":{},"_meta":{}}})");
}

TEST(StripModernResult, TakesOutWhatLegacyClientsDoNotKnow) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"content":[]})", R"({"content":[]})"},
      {R"({"resultType":"complete"})", R"({})"},
      {R"({"resultType":"complete","content":[]})", R"({"content":[]})"},
      {R"({"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"public"})",
       R"({"tools":[]})"},
      {R"({"ttlMs":5,"cacheScope":"public","resultType":"complete"})", R"({})"},
      {R"({"content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{}}})", R"({"content":[]})"},
      {R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{}}})", R"({})"},
      {R"({"_meta":{"io.modelcontextprotocol/serverInfo":{},"a":1},"content":[]})",
       R"({"_meta":{"a":1},"content":[]})"},
      {R"({"_meta":{"a":1,"io.modelcontextprotocol/serverInfo":{}}})", R"({"_meta":{"a":1}})"},
      {R"({"_meta":{"a":1,"io.modelcontextprotocol/subscriptionId":1,)"
       R"("io.modelcontextprotocol/clientInfo":{},"io.modelcontextprotocol/logLevel":"info",)"
       R"("io.modelcontextprotocol/protocolVersion":"","progressToken":2,)"
       R"("io.modelcontextprotocol/clientCapabilities":{}}})",
       R"({"_meta":{"a":1,"progressToken":2}})"},
      {R"({"_meta":{"a":1}})", R"({"_meta":{"a":1}})"},
      {R"({"_meta":{}})", R"({"_meta":{}})"},
      {R"({"serverInfo":{},"capabilities":{}})", R"({"serverInfo":{},"capabilities":{}})"},
  };
  for (const auto& [before, after] : kCases) EXPECT_EQ(Stripped(before), after);
}

TEST(StripModernResult, LeavesErrorsAlone) {
  const Message error =
      Message::Parse(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","ttlMs":1}})")
          .value();
  Edits edits;
  StripModernResult(error, edits);
  EXPECT_TRUE(edits.empty());
}

TEST(StripModernMeta, CleansNotifications) {
  const Message message =
      Message::Parse(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":)"
                     R"({"_meta":{"io.modelcontextprotocol/subscriptionId":9}}})")
          .value();
  Edits edits;
  StripModernMeta(message, edits);
  EXPECT_EQ(edits.Apply(message.bytes()),
            R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}})");
}

TEST(AddResultType, AddsWhatIsMissing) {
  EXPECT_EQ(Completed(R"({})"), R"({"resultType":"complete"})");
  EXPECT_EQ(Completed(R"({ })"), R"({"resultType":"complete" })");
  EXPECT_EQ(Completed(R"({"content":[]})"), R"({"resultType":"complete","content":[]})");
  EXPECT_EQ(Completed(R"({"tools":[]})", CacheHint{}),
            R"({"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[]})");
  EXPECT_EQ(Completed(R"({})", CacheHint{.ttl_ms = 60'000, .scope = "public"}),
            R"({"resultType":"complete","ttlMs":60000,"cacheScope":"public"})");
}

TEST(AddResultType, LeavesWhatIsThere) {
  EXPECT_EQ(Completed(R"({"resultType":"task"})"), R"({"resultType":"task"})");
  EXPECT_EQ(Completed(R"({"ttlMs":9})", CacheHint{}),
            R"({"resultType":"complete","cacheScope":"private","ttlMs":9})");
  EXPECT_EQ(Completed(R"({"resultType":"complete"})", CacheHint{}),
            R"({"ttlMs":0,"cacheScope":"private","resultType":"complete"})");
}

TEST(AddResultType, GivesNoCacheHintToAQuestion) {
  EXPECT_EQ(Completed(R"({"resultType":"input_required"})", CacheHint{}),
            R"({"resultType":"input_required"})");
}

TEST(AddResultType, LeavesSharedAnswersAndErrorsAlone) {
  const Message shared =
      Message::FromResult("1", std::make_shared<const std::string>(R"({"tools":[]})"));
  Edits edits;
  AddResultType(shared, edits);
  AddResultType(Message::MakeError("1", 1, "m"), edits);
  EXPECT_TRUE(edits.empty());
}

}  // namespace
}  // namespace switchyard::mcp
