#include "downstream/compose.h"

#include <gtest/gtest.h>

#include "downstream/legacy_convert.h"
#include "downstream/param_headers.h"
#include "downstream/tool_list.h"

namespace switchyard::downstream {
namespace {

constexpr std::string_view kPrefix = "io.modelcontextprotocol/";

Call CallOf(const std::string& text) {
  Call call;
  call.message = *mcp::Message::Parse(text);
  return call;
}

std::string BodyOf(const Call& call, const Composed& composed) {
  mcp::Pieces pieces;
  composed.AppendTo(call, pieces);
  return mcp::Join(pieces);
}

TEST(ComposeModernTest, SendsAFreshIdTheServersNameAndItsOwnMeta) {
  Call call = CallOf(
      R"({"jsonrpc":"2.0","id":"c-1","method":"tools/call","params":{"name":"wiki.find","arguments":{"q":1},)"
      R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","x/y":1,"progressToken":"p"}}})");
  call.target.name = "find";
  call.progress_token = "\"p\"";
  call.log_level = "warning";
  const Composed composed = ComposeModern(call, "41", true);
  const mcp::Message sent = *mcp::Message::Parse(BodyOf(call, composed));
  EXPECT_EQ(sent.id(), "41");
  EXPECT_EQ(sent.GetString(mcp::Key::kName), "find");
  EXPECT_EQ(sent.Get(mcp::Key::kArguments), R"({"q":1})");
  EXPECT_EQ(sent.Get(mcp::MetaKey::kProgressToken), "41");
  EXPECT_EQ(sent.GetString(mcp::MetaKey::kProtocolVersion), "2026-07-28");
  EXPECT_EQ(sent.Get(mcp::MetaKey::kClientCapabilities), "{}");
  EXPECT_EQ(sent.GetString(mcp::MetaKey::kLogLevel), "warning");
  EXPECT_TRUE(sent.params().contains(R"("x/y":1)"));
  EXPECT_EQ(composed.headers,
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: find\r\n");
  EXPECT_EQ(call.message.ToText().find("41"), std::string::npos) << "the call can be sent again";
}

TEST(ComposeModernTest, EncodesNamesThatNoHeaderCanCarry) {
  Call call = CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///\u00e9"}})");
  EXPECT_TRUE(
      ComposeModern(call, "2", true).headers.contains("Mcp-Name: =?base64?ZmlsZTovLy/DqQ==?=\r\n"));
}

TEST(ComposeModernTest, MirrorsArgumentsThatTheSchemaMarks) {
  Call call = CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"lang":"\u00e9","deep":{"n":3},"off":null}}})");
  Definition tool;
  tool.param_marks =
      mcp::FindParamMarks(
          R"({"type":"object","properties":{"lang":{"type":"string","x-mcp-header":"Lang"},)"
          R"("off":{"type":"string","x-mcp-header":"Off"},)"
          R"("deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}}}})")
          .legal;
  call.target.definition = &tool;
  const std::string headers = ComposeModern(call, "2", true).headers;
  EXPECT_TRUE(headers.contains("Mcp-Param-Lang: =?base64?w6k=?=\r\n")) << headers;
  EXPECT_TRUE(headers.contains("Mcp-Param-N: 3\r\n")) << headers;
  EXPECT_FALSE(headers.contains("Off")) << headers;
  tool.param_marks =
      mcp::FindParamMarks(R"({"properties":{"a":{"type":"string","x-mcp-header":"A\r\nEvil: 1"}}})")
          .legal;
  EXPECT_EQ(ParamHeaders(tool, R"({"a":"x"})"), "");
}

TEST(ComposeModernTest, PassesOnWhatAModernClientCanDoButNoExtensions) {
  Call call = CallOf(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  auto client = std::make_shared<Client>();
  client->capabilities = R"({"elicitation":{},"extensions":{"a/b":{}}})";
  call.client = client;
  const mcp::Message sent = *mcp::Message::Parse(BodyOf(call, ComposeModern(call, "2", false)));
  EXPECT_EQ(sent.Get(mcp::MetaKey::kClientCapabilities), R"({"elicitation":{}})");
}

TEST(ComposeModernTest, DeclaresWhatALegacyClientOffersButForItsTasks) {
  Call call = CallOf(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  auto client = std::make_shared<Client>();
  client->version = mcp::kNewestLegacy;
  client->capabilities = R"({"elicitation":{"form":{}},"tasks":{"list":{}}})";
  call.client = client;
  const mcp::Message sent = *mcp::Message::Parse(BodyOf(call, ComposeModern(call, "2", false)));
  EXPECT_EQ(sent.Get(mcp::MetaKey::kClientCapabilities), R"({"elicitation":{"form":{}}})");
}

Call Traced(const std::string& parent) {
  return CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"traceparent":)" +
      parent + R"(,"tracestate":"a=1","baggage":"b=2"}}})");
}

TEST(ComposeTest, TheTraceGoesOnWithASpanOfOursInBothEras) {
  const Call call = Traced(R"("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")");
  for (const Composed& composed : {ComposeModern(call, "2", false), ComposeLegacy(call, "2", {})}) {
    const mcp::Message sent = *mcp::Message::Parse(BodyOf(call, composed));
    const std::string trace = sent.GetString(mcp::MetaKey::kTraceParent);
    EXPECT_TRUE(trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-")) << trace;
    EXPECT_TRUE(trace.ends_with("-01")) << trace;
    EXPECT_FALSE(trace.contains("b7ad6b7169203331")) << trace;
    EXPECT_TRUE(sent.params().contains(R"("tracestate":"a=1","baggage":"b=2")"));
  }
}

TEST(ComposeTest, ATraceThatCannotBeReadEndsHere) {
  for (const char* parent : {R"("00-rubbish")", "7", R"("")", "null"}) {
    const Call call = Traced(parent);
    EXPECT_FALSE(BodyOf(call, ComposeModern(call, "2", false)).contains("traceparent")) << parent;
    EXPECT_FALSE(BodyOf(call, ComposeLegacy(call, "2", {})).contains("traceparent")) << parent;
  }
}

TEST(ComposeLegacyTest, ACompletionHasItsContextOnlyWhereTheServerKnowsIt) {
  const Call call = CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{},"context":{"arguments":{}},"argument":{}}})");
  Link link;
  link.facts.version = mcp::Version::k2025_03_26;
  EXPECT_TRUE(BodyOf(call, ComposeLegacy(call, "2", link)).contains(R"({"ref":{},"argument":{}})"));
  link.facts.version = mcp::Version::k2025_06_18;
  EXPECT_TRUE(BodyOf(call, ComposeLegacy(call, "2", link)).contains("context"));
}

TEST(ComposeModernTest, PassesOnWhatTheSchemaDoesNotMarkAndMakesTheRestAnew) {
  Call call = CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"lang":"en"}}})");
  Definition tool;
  tool.param_marks =
      mcp::FindParamMarks(R"({"properties":{"lang":{"type":"string","x-mcp-header":"Lang"}}})")
          .legal;
  call.target.definition = &tool;
  call.header_params.sent = {
      {"lang", "forged"}, {"Tenant", "=?base64?w6k=?="}, {"Big", std::string(kMaxForwarded, 'x')}};
  const std::string headers = ComposeModern(call, "2", true).headers;
  EXPECT_TRUE(headers.ends_with("Mcp-Param-Lang: en\r\nMcp-Param-Tenant: =?base64?w6k=?=\r\n"))
      << headers;
}

TEST(ComposeLegacyTest, LeavesNoModernMetadata) {
  Call call = CallOf(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{)"
      R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"x/y":1}}})");
  Link link;
  link.facts.version = mcp::Version::k2025_06_18;
  link.session_id = "s-1";
  const Composed composed = ComposeLegacy(call, "9", link);
  const std::string body = BodyOf(call, composed);
  EXPECT_FALSE(body.contains(kPrefix)) << body;
  EXPECT_TRUE(body.contains(R"("x/y":1)")) << body;
  EXPECT_EQ(composed.headers, "Mcp-Session-Id: s-1\r\nMCP-Protocol-Version: 2025-06-18\r\n");
}

TEST(ComposeLegacyTest, SendsNoVersionHeaderToServersThatKnowNone) {
  Link link;
  link.facts.version = mcp::Version::k2025_03_26;
  EXPECT_EQ(LegacyHeaders(link), "");
}

TEST(LegacyConvertTest, AddsWhatAModernResultMustHave) {
  const auto convert = [](std::string result, mcp::Method method) {
    return ToModernResponse(mcp::Message::FromResult("1", std::move(result)), method).ToText();
  };
  const std::string call = convert(R"({"content":[]})", mcp::Method::kToolsCall);
  EXPECT_TRUE(call.contains(R"("resultType":"complete")")) << call;
  EXPECT_FALSE(call.contains("ttlMs")) << call;
  const std::string list = convert("{}", mcp::Method::kPromptsList);
  EXPECT_TRUE(list.contains(R"("ttlMs":0)") && list.contains(R"("cacheScope":"private")")) << list;
}

TEST(LegacyConvertTest, TakesExecutionOutOfTools) {
  const mcp::Message list = ToModernResponse(
      *mcp::Message::Parse(
          R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","execution":{"taskSupport":"optional"},"x":1.50},)"
          R"({"execution":{},"name":"b"},{"name":"c","inputSchema":{"properties":{"execution":{}}}}]}})"),
      mcp::Method::kToolsList);
  EXPECT_TRUE(list.ToText().contains(
      R"([{"name":"a","x":1.50},{"name":"b"},{"name":"c","inputSchema":{"properties":{"execution":{}}}}])"))
      << list.ToText();
}

TEST(LegacyConvertTest, KeepsLegacyCodesFromModernClients) {
  const auto convert = [](int code, bool keeps) {
    return ToModernError(mcp::Message::MakeError("1", code, "why", R"({"uri":"u"})"), keeps)
        .ToText();
  };
  EXPECT_EQ(convert(-32002, false),
            mcp::Message::MakeError("1", -32602, "why", R"({"uri":"u"})").ToText());
  EXPECT_EQ(convert(-32050, false),
            mcp::Message::MakeError("1", -32603, "why", R"({"code":-32050,"data":{"uri":"u"}})")
                .ToText());
  EXPECT_TRUE(convert(-32021, true).contains("-32021"));
  EXPECT_TRUE(convert(-32020, true).contains("-32603"));
  EXPECT_TRUE(convert(-32000, false).contains(R"("code":-32000)"));
}

TEST(LegacyConvertTest, OffersNoLegacyTasks) {
  EXPECT_EQ(ModernCapabilities(R"({"tools":{},"tasks":{"list":{}}})"), R"({"tools":{}})");
  EXPECT_EQ(ModernCapabilities(R"({"tools": {}})"), R"({"tools": {}})");
}

}  // namespace
}  // namespace switchyard::downstream
