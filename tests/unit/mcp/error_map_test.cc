#include "mcp/error_map.h"

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

constexpr Version kLegacy = Version::k2025_11_25;

Error Of(Code code, Origin origin = Origin::kClient) {
  return Error{.code = code, .origin = origin, .message = "text", .detail = "secret"};
}

TEST(ErrorMap, GivesEachCodeItsRpcCodeAndStatus) {
  struct Row {
    Code code;
    int rpc, modern, legacy;
  };
  for (const Row& row : {
           Row{Code::kInvalid, -32602, 200, 200},
           Row{Code::kNotFound, -32602, 200, 200},
           Row{Code::kTooLarge, -32600, 413, 413},
           Row{Code::kUnauthenticated, -32600, 401, 401},
           Row{Code::kForbidden, -32600, 403, 403},
           Row{Code::kRateLimited, -32603, 200, 200},
           Row{Code::kUnavailable, -32603, 200, 200},
           Row{Code::kDeadline, -32603, 200, 200},
           Row{Code::kCancelled, -32603, 200, 200},
           Row{Code::kProtocol, -32603, 200, 200},
           Row{Code::kInternal, -32603, 200, 200},
       }) {
    EXPECT_EQ(RpcCode(Of(row.code)), row.rpc) << ToString(row.code);
    EXPECT_EQ(HttpStatus(Of(row.code), kModern), row.modern) << ToString(row.code);
    EXPECT_EQ(HttpStatus(Of(row.code), kLegacy), row.legacy) << ToString(row.code);
  }
}

TEST(ErrorMap, DoesNotBlameTheClientForWhatAServerRefused) {
  for (const Code code : {Code::kTooLarge, Code::kUnauthenticated, Code::kForbidden}) {
    EXPECT_EQ(RpcCode(Of(code, Origin::kServer)), kInternalError) << ToString(code);
    EXPECT_EQ(HttpStatus(Of(code, Origin::kServer), kModern), 200) << ToString(code);
  }
}

TEST(ErrorMap, AnExplicitRpcCodeWins) {
  Error error = Of(Code::kInvalid);
  error.rpc_code = kUnsupportedVersion;
  EXPECT_EQ(RpcCode(error), kUnsupportedVersion);
  EXPECT_EQ(HttpStatus(error, kModern), 400);
  EXPECT_EQ(HttpStatus(error, kLegacy), 200);
}

TEST(ErrorMap, TheModernFaceHasStatusesForSomeCodes) {
  EXPECT_EQ(HttpStatus(kHeaderMismatch, kModern), 400);
  EXPECT_EQ(HttpStatus(kMissingCapability, kModern), 400);
  EXPECT_EQ(HttpStatus(kUnsupportedVersion, kModern), 400);
  EXPECT_EQ(HttpStatus(kMethodNotFound, kModern), 404);
  EXPECT_EQ(HttpStatus(kParseError, kModern), 400);
  EXPECT_EQ(HttpStatus(kInvalidRequest, kModern), 400);
  EXPECT_EQ(HttpStatus(kInvalidParams, kModern), 200);
  EXPECT_EQ(HttpStatus(kInternalError, kModern), 200);
  EXPECT_EQ(HttpStatus(-1, kModern), 200);
}

TEST(ErrorMap, TheLegacyFaceAnswersErrorsOfRequestsWith200) {
  EXPECT_EQ(HttpStatus(kMethodNotFound, kLegacy), 200);
  EXPECT_EQ(HttpStatus(kInvalidParams, kLegacy), 200);
  EXPECT_EQ(HttpStatus(kMissingCapability, kLegacy), 200);
  EXPECT_EQ(HttpStatus(kParseError, kLegacy), 400);
  EXPECT_EQ(HttpStatus(kInvalidRequest, kLegacy), 400);
}

TEST(ErrorMap, TranslatesServersCodesByEra) {
  const Method read = Method::kResourcesRead;
  const Method call = Method::kToolsCall;
  EXPECT_EQ(CodeForClient(-32002, read, kModern), -32602);
  EXPECT_EQ(CodeForClient(-32602, read, kLegacy), -32002);
  EXPECT_EQ(CodeForClient(-32602, call, kLegacy), -32602);
  EXPECT_EQ(CodeForClient(-32002, read, kLegacy), -32002);
  EXPECT_EQ(CodeForClient(-32042, call, kLegacy), -32042);
  EXPECT_EQ(CodeForClient(-32042, call, kModern), -32603);
  EXPECT_EQ(CodeForClient(-32021, call, kModern), -32021);
  EXPECT_EQ(CodeForClient(-32021, call, kLegacy), -32603);
  EXPECT_EQ(CodeForClient(-32020, call, kModern), -32603);
  EXPECT_EQ(CodeForClient(-32022, call, kModern), -32603);
  EXPECT_EQ(CodeForClient(-32099, call, kModern), -32603);
  EXPECT_EQ(CodeForClient(-32100, call, kModern), -32100);
  EXPECT_EQ(CodeForClient(-32000, call, kModern), -32000);
  EXPECT_EQ(CodeForClient(7, call, kModern), 7);
}

TEST(ErrorMessage, TellsTheClientWhatItMayKnow) {
  Error error = Of(Code::kUnavailable, Origin::kServer);
  error.retryable = true;
  EXPECT_EQ(ErrorMessage("7", error).ToText(),
            R"({"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"text",)"
            R"("data":{"origin":"server","code":"unavailable","retryable":true}}})");
}

TEST(ErrorMessage, SaysWhereAPersonHasToGo) {
  Error error = Of(Code::kForbidden);
  error.visit = "https://g.example/connect/1";
  for (const Message& message : {ErrorMessage("7", error), ToolErrorMessage("7", error)}) {
    EXPECT_NE(message.ToText().find("text. The user has to open this page in a browser, and the "
                                    "call is to be made again then: https://g.example/connect/1"),
              std::string::npos)
        << message.ToText();
  }
}

TEST(ErrorMessage, KeepsDataOfItsOwn) {
  Error error = Of(Code::kInvalid);
  error.rpc_code = kMissingCapability;
  error.data = R"({"requiredCapabilities":{}})";
  EXPECT_EQ(ErrorMessage(R"("a")", error).ToText(),
            R"({"jsonrpc":"2.0","id":"a","error":{"code":-32021,"message":"text",)"
            R"("data":{"requiredCapabilities":{}}}})");
}

TEST(ErrorMessage, LeavesAnUnreadableIdOut) {
  const Message message = ErrorMessage("", Of(Code::kInvalid));
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","error":{"code":-32602,"message":"text",)"
                              R"("data":{"origin":"client","code":"invalid","retryable":false}}})");
  EXPECT_EQ(message.kind(), Kind::kError);
  EXPECT_EQ(message.error_code(), -32602);
}

TEST(ErrorMessage, NeverShowsTheDetail) {
  EXPECT_EQ(ErrorMessage("1", Of(Code::kInternal)).ToText().find("secret"), std::string::npos);
}

TEST(ErrorMessage, SurvivesAMessageThatIsNoUtf8) {
  Error error = Of(Code::kProtocol, Origin::kServer);
  error.message = "bad \xFF \"byte\"\n";
  const Message message = ErrorMessage("1", error);
  EXPECT_NE(message.ToText().find("bad \xEF\xBF\xBD \\\"byte\\\"\\n"), std::string::npos);
}

TEST(ErrorMap, WhatIsForAgentsIsTheResultOfAToolThatFailed) {
  Error error{.code = Code::kRateLimited, .message = "try \"later\"", .detail = "secret"};
  EXPECT_EQ(ToolErrorMessage("7", error).ToText(),
            R"({"jsonrpc":"2.0","id":7,"result":{"resultType":"complete",)"
            R"("content":[{"type":"text","text":"try \"later\""}],"isError":true,)"
            R"("_meta":{"switchyard/error":)"
            R"({"origin":"gateway","code":"rate_limited","retryable":false}}}})");
  error.data = R"({"retryAfterMs":5})";
  EXPECT_TRUE(ToolErrorMessage("7", error)
                  .ToText()
                  .contains(R"("_meta":{"switchyard/error":{"retryAfterMs":5}})"));
}

}  // namespace
}  // namespace switchyard::mcp
