// What Message::Parse accepts, refuses and says, table by table.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mcp/message.h"

namespace switchyard::mcp {
namespace {

struct Verdict {
  int rpc_code = 0;  // 0 = accepted
  std::string message;
  std::string id;  // readable_id
};

Verdict Judge(std::string text, Check check = Check::kFull) {
  Verdict verdict;
  const Result<Message> message = Message::Parse(std::move(text), check, &verdict.id);
  if (message) return verdict;
  EXPECT_EQ(message.error().code, Code::kInvalid);
  EXPECT_EQ(message.error().origin, Origin::kClient);
  verdict.rpc_code = message.error().rpc_code;
  verdict.message = message.error().message;
  return verdict;
}

Message Good(std::string text, Check check = Check::kFull) {
  Result<Message> message = Message::Parse(text, check);
  EXPECT_TRUE(message) << text << ": " << (message ? "" : message.error().message);
  return message ? std::move(*message) : Message();
}

TEST(MessageParse, ReadsARequest) {
  const Message message = Good(
      R"({"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"a\"b","arguments":{"x":1},)"
      R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":7}}})");
  EXPECT_EQ(message.kind(), Kind::kRequest);
  EXPECT_FALSE(message.is_response());
  EXPECT_EQ(message.id(), "41");
  EXPECT_EQ(message.method(), Method::kToolsCall);
  EXPECT_EQ(message.method_name(), "tools/call");
  EXPECT_EQ(message.Get(Key::kName), R"("a\"b")");
  EXPECT_EQ(message.GetString(Key::kName), "a\"b");
  EXPECT_EQ(message.Get(Key::kArguments), R"({"x":1})");
  EXPECT_EQ(message.GetString(Key::kArguments), "") << "not a string";
  EXPECT_FALSE(message.Has(Key::kUri));
  EXPECT_EQ(message.Get(Key::kUri), "");
  EXPECT_EQ(message.GetString(MetaKey::kProtocolVersion), "2026-07-28");
  EXPECT_EQ(message.Get(MetaKey::kProgressToken), "7");
  EXPECT_EQ(message.params().front(), '{');
  EXPECT_EQ(message.params().back(), '}');
  EXPECT_EQ(message.result(), "");
  EXPECT_EQ(message.error(), "");
}

TEST(MessageParse, ReadsEveryKind) {
  EXPECT_EQ(Good(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").kind(),
            Kind::kNotification);
  const Message result = Good(R"({"jsonrpc":"2.0","id":"a","result":{"isError":true}})");
  EXPECT_EQ(result.kind(), Kind::kResult);
  EXPECT_TRUE(result.is_response());
  EXPECT_EQ(result.id(), R"("a")");
  EXPECT_EQ(result.result(), R"({"isError":true})");
  EXPECT_EQ(result.Get(Key::kIsError), "true");
  const Message error = Good(R"({"jsonrpc":"2.0","id":1,"error":{"message":"m","code":-32601}})");
  EXPECT_EQ(error.kind(), Kind::kError);
  EXPECT_EQ(error.error_code(), -32601);
  EXPECT_EQ(error.error(), R"({"message":"m","code":-32601})");
}

TEST(MessageParse, TakesMembersInAnyOrderAndWithAnyWhitespace) {
  const Message message = Good(
      " \t{ \"params\" : { \"_meta\" : { \"progressToken\" : \"t\" } , \"name\" : \"n\" } , "
      "\"method\" : \"tools/call\" , \"id\" : 9 , \"jsonrpc\" : \"2.0\" } ");
  EXPECT_EQ(message.id(), "9");
  EXPECT_EQ(message.Get(Key::kName), R"("n")");
  EXPECT_EQ(message.Get(MetaKey::kProgressToken), R"("t")");
  EXPECT_EQ(message.params(), R"({ "_meta" : { "progressToken" : "t" } , "name" : "n" })");
}

TEST(MessageParse, SpansOfMembersRunFromTheKeyToTheValuesEnd) {
  const Message message =
      Good(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{ "name" : "n" , "uri":"u"}})");
  const Member name = message.member(Key::kName);
  EXPECT_EQ(name.whole.In(message.bytes()), R"("name" : "n")");
  EXPECT_EQ(name.value.In(message.bytes()), R"("n")");
  EXPECT_EQ(message.id_span().In(message.bytes()), "1");
  EXPECT_FALSE(message.member(Key::kCursor).present());
}

TEST(MessageParse, EchoesIdsExactly) {
  for (const char* id : {"0", "-0", "-7", "123456789012345678901234567890", R"("")", R"("a")",
                         R"("\u0041\n\"")", R"("\ud800")", R"("é😀")"}) {
    const std::string text = std::string(R"({"jsonrpc":"2.0","id":)") + id + R"(,"method":"ping"})";
    EXPECT_EQ(Good(text).id(), id);
    EXPECT_EQ(Good(text, Check::kEnvelope).id(), id);
  }
}

TEST(MessageParse, RefusesIdsThatAreNeitherStringNorInteger) {
  for (const char* id : {"null", "1.0", "1e3", "true", "{}", "[1]"}) {
    for (const char* rest : {R"("method":"ping")", R"("result":{})"}) {
      const std::string text = std::string(R"({"jsonrpc":"2.0","id":)") + id + "," + rest + "}";
      const Verdict verdict = Judge(text);
      EXPECT_EQ(verdict.rpc_code, -32600) << text;
      EXPECT_EQ(verdict.message, "id must be a string or an integer");
      EXPECT_EQ(verdict.id, "");
    }
  }
}

TEST(MessageParse, AnErrorMayHaveNoReadableId) {
  for (const char* text : {R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}})",
                           R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}})"}) {
    const Message message = Good(text);
    EXPECT_EQ(message.kind(), Kind::kError);
    EXPECT_EQ(message.id(), "");
  }
}

TEST(MessageParse, RefusesWhatIsNotJsonRpc) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"id":1,"method":"ping"})", "jsonrpc is missing"},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", "jsonrpc must be \"2.0\""},
      {R"({"jsonrpc":2.0,"id":1,"method":"ping"})", "jsonrpc must be \"2.0\""},
      {R"({"jsonrpc":"2\u002e0","id":1,"method":"ping"})", "jsonrpc must be \"2.0\""},
      {R"({"jsonrpc":"2.0","id":1})", "one of method, result and error is needed"},
      {R"({"jsonrpc":"2.0","id":1,"method":"ping","result":{}})",
       "only one of method, result and error may be given"},
      {R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}})",
       "only one of method, result and error may be given"},
      {R"({"jsonrpc":"2.0","id":1,"result":{},"params":{}})", "params have no place in a response"},
      {R"({"jsonrpc":"2.0","id":1,"method":5})", "method must be a string"},
      {R"({"jsonrpc":"2.0","id":1,"method":null})", "method must be a string"},
      {R"({"jsonrpc":"2.0","id":1,"method":""})", "method must not be empty"},
      {R"({"jsonrpc":"2.0","id":1,"method":"\ud800"})", "method is not readable text"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":[1]})", "params must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":null})", "params must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":7}})", "_meta must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"result":[]})", "result must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"result":null})", "result must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"error":"x"})", "error must be an object"},
      {R"({"jsonrpc":"2.0","id":1,"error":{}})", "error.code must be an integer"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":"1"}})", "error.code must be an integer"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":1.0}})", "error.code must be an integer"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":99999999999}})", "error.code must be an integer"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"code":2}})", "member code is given twice"},
      {R"({"jsonrpc":"2.0","result":{}})", "id is missing"},
      {"{}", "jsonrpc is missing"},
      {"7", "a message must be a JSON object"},
      {"null", "a message must be a JSON object"},
      {"\"x\"", "a message must be a JSON object"},
      {"[]", "batches are not served: send one message at a time"},
      {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])",
       "batches are not served: send one message at a time"},
  };
  for (const auto& [text, message] : kCases) {
    for (const Check check : {Check::kFull, Check::kEnvelope}) {
      const Verdict verdict = Judge(text, check);
      EXPECT_EQ(verdict.rpc_code, -32600) << text;
      EXPECT_EQ(verdict.message, message) << text;
    }
  }
}

TEST(MessageParse, RefusesDuplicatesOfWhatItReads) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"})", "jsonrpc"},
      {R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})", "id"},
      {R"({"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"})", "method"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{},"params":{}})", "params"},
      {R"({"jsonrpc":"2.0","id":1,"result":{},"result":{}})", "result"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"safe","name":"evil"}})", "name"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"uri":"a","b":1,"uri":"a"}})", "uri"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{},"arguments":{}}})",
       "arguments"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{},"_meta":{}}})", "_meta"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":1,)"
       R"("progressToken":2}}})",
       "progressToken"},
      {R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{)"
       R"("io.modelcontextprotocol/clientInfo":{},"io.modelcontextprotocol\/clientInfo":{}}}})",
       "io.modelcontextprotocol/clientInfo"},
      {R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","resultType":"task"}})",
       "resultType"},
  };
  for (const auto& [text, name] : kCases) {
    for (const Check check : {Check::kFull, Check::kEnvelope}) {
      const Verdict verdict = Judge(text, check);
      EXPECT_EQ(verdict.rpc_code, -32600) << text;
      EXPECT_EQ(verdict.message, "member " + std::string(name) + " is given twice") << text;
    }
  }
}

TEST(MessageParse, LeavesDuplicatesOfWhatItDoesNotReadAlone) {
  Good(R"({"jsonrpc":"2.0","x":1,"x":2,"id":1,"method":"x","params":{"y":1,"y":2,)"
       R"("arguments":{"name":1,"name":2},"_meta":{"z":1,"z":2}}})");
}

TEST(MessageParse, RefusesEscapedNamesInRequests) {
  for (const char* text : {
           R"({"jsonrpc":"2.0","id":1,"m\u0065thod":"ping"})",
           R"({"jsonrpc":"2.0","\u0069d":1,"method":"ping"})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"\u006eame":"evil"}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"safe","n\u0061me":"evil"}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_m\u0065ta":{}}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"pr\u006fgressToken":1}}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","\n":1})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"anything\t":1}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"\"":1}}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"\ud800":1}})",
           R"({"jsonrpc":"2.0","method":"x","params":{"\ud800":1}})",
       }) {
    EXPECT_EQ(Judge(text).rpc_code, -32600) << text;
    EXPECT_EQ(Judge(text, Check::kEnvelope).rpc_code, -32600) << text;
  }
}

TEST(MessageParse, RefusesEscapedKnownNamesInResponsesButNotOthers) {
  EXPECT_EQ(Judge(R"({"jsonrpc":"2.0","id":1,"result":{"c\u006fntent":[]}})").message,
            "the name of a member is written with escapes");
  Good(R"({"jsonrpc":"2.0","id":1,"result":{"caf\u00e9":[]}})");
}

TEST(MessageParse, DeeperNamesMayBeEscaped) {
  Good(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"\u006eame":"x"}}})");
}

TEST(MessageParse, ReadsEscapedSlashesAsWhatTheyAre) {
  const Message message =
      Good(R"({"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"_meta":{)"
           R"("io.modelcontextprotocol\/protocolVersion":"2026-07-28","com.example\/x":1}}})");
  EXPECT_EQ(message.method(), Method::kToolsCall);
  EXPECT_EQ(message.method_name(), "tools/call");
  EXPECT_EQ(message.GetString(MetaKey::kProtocolVersion), "2026-07-28");
  EXPECT_EQ(message.OtherMeta(), R"("com.example\/x":1)");
}

TEST(MessageParse, RefusesNamesThatDifferInCaseAlone) {
  for (const char* text : {
           R"({"jsonrpc":"2.0","id":1,"method":"x","Method":"tools/call"})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","paramſ":{}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"safe","Name":"evil"}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"URI":"evil"}})",
           R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"tasKId":"evil"}})",
       }) {
    EXPECT_EQ(Judge(text).message, "the name of a member differs from a known one in case alone")
        << text;
  }
  Good(R"({"jsonrpc":"2.0","id":1,"result":{"Content":1},"Extra":2})");
  Good(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"Name":1},"namer":1}})");
}

TEST(MessageParse, UnknownMethodsAndMembersPass) {
  const Message message =
      Good(R"({"jsonrpc":"2.0","x":{"y":[]},"id":1,"method":"a\u0062c","params":{"z":1}})");
  EXPECT_EQ(message.method(), Method::kUnknown);
  EXPECT_EQ(message.method_name(), R"(a\u0062c)");
}

TEST(MessageParse, NullMetaReadsAsNone) {
  const Message message = Good(R"({"jsonrpc":"2.0","id":1,"result":{"_meta":null,"content":[]}})");
  EXPECT_FALSE(message.Has(MetaKey::kServerInfo));
  EXPECT_EQ(message.OtherMeta(), "");
}

TEST(MessageParse, RefusesWhatIsNotJson) {
  const std::string kRequest = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  const std::pair<std::string, const char*> kCases[] = {
      {"", "not JSON: no content"},
      {" \n", "not JSON: no content"},
      {"<html>", "not JSON: unexpected content at byte 0"},
      {kRequest + "x", "not JSON: unexpected content at byte 40"},
      {kRequest + kRequest, "not JSON: unexpected content at byte 40"},
      {kRequest + ",", "not JSON: unexpected content at byte 40"},
      {kRequest + std::string(1, '\0'), "not JSON: unexpected content at byte 40"},
      {kRequest.substr(0, 39), "not JSON: unexpected content at byte 39"},
      {R"({"jsonrpc":"2.0","id":1,"method":"ping)", "not JSON: a string does not end"},
      {R"({"jsonrpc" "2.0"})", "not JSON: unexpected content at byte 1"},
      {R"({"id":})", "not JSON: unexpected content at byte 6"},
      {R"({"id":1 2})", "not JSON: unexpected content at byte 8"},
      {R"({"id":1,})", "not JSON: unexpected content at byte 8"},
      {R"({"params":{"x":1,}})", "not JSON: unexpected content at byte 17"},
      {R"({"params":{"_meta":{"x"}}})", "not JSON: unexpected content at byte 20"},
      {R"({"\q":1})", "not JSON: unexpected content at byte 1"},
      {"{\"method\":\"\xFF\"}", "not JSON: invalid UTF-8"},
      {"{\"method\":\"a\nb\"}", "not JSON: a control character in a string"},
      {"[1,", "not JSON: unexpected content at byte 3"},
  };
  for (const auto& [text, message] : kCases) {
    for (const Check check : {Check::kFull, Check::kEnvelope}) {
      const Verdict verdict = Judge(text, check);
      EXPECT_EQ(verdict.rpc_code, -32700) << text;
      EXPECT_EQ(verdict.message, message) << text;
      // Of a reply see answered_id_test.cc.
      if (check == Check::kFull) EXPECT_EQ(verdict.id, "");
    }
  }
}

TEST(MessageParse, FullCheckLooksIntoWhatIsNotRead) {
  for (const char* value : {"tru", "01", R"("\x")", R"({"a"})", "[1,]", "[}", "-"}) {
    const std::string text =
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"a":)") + value +
        "}}}";
    EXPECT_EQ(Judge(text).rpc_code, -32700) << text;
  }
  Good(R"({"jsonrpc":"2.0","id":1,"result":{"content":[tru]}})", Check::kEnvelope);
}

TEST(MessageParse, RefusesDepthBombsClearly) {
  const auto nested = [](std::size_t depth) {
    return R"({"jsonrpc":"2.0","id":1,"result":{"content":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  for (const Check check : {Check::kFull, Check::kEnvelope}) {
    EXPECT_EQ(Judge(nested(1022), check).rpc_code, 0);
    const Verdict verdict = Judge(nested(1023), check);
    EXPECT_EQ(verdict.rpc_code, -32700);
    EXPECT_EQ(verdict.message, "not JSON: nested deeper than 1024");
    EXPECT_EQ(Judge(nested(1'000'000), check).message, verdict.message);
    EXPECT_EQ(Judge(std::string(1'000'000, '['), check).message, verdict.message);
  }
}

TEST(MessageParse, GivesTheIdOfARefusedMessageWhenItCanBeRead) {
  EXPECT_EQ(Judge(R"({"jsonrpc":"1.0","method":5,"id":7})").id, "7");
  EXPECT_EQ(Judge(R"({"id":"a","jsonrpc":"2.0","method":"x","params":[]})").id, R"("a")");
  EXPECT_EQ(Judge(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"x"})").id, "");
  EXPECT_EQ(Judge(R"({"jsonrpc":"2.0","id":1.5,"method":"x"})").id, "");
  EXPECT_EQ(Judge(R"([{"id":1}])").id, "");
}

TEST(MessageParse, TurnsLineBreaksBetweenTokensIntoSpaces) {
  const Message message = Good("{\r\n\"jsonrpc\":\"2.0\",\n\"id\":1,\"method\":\"x\\n\"\r}\n");
  EXPECT_EQ(message.bytes(), "{  \"jsonrpc\":\"2.0\", \"id\":1,\"method\":\"x\\n\" } ");
}

TEST(MessageParse, ReadsLargeMessagesAndThenSmallOnes) {
  const std::string text(3'000'000, 'x');
  for (const Check check : {Check::kFull, Check::kEnvelope}) {
    const Message big =
        Good(R"({"jsonrpc":"2.0","id":1,"result":{"content":")" + text + R"("}})", check);
    EXPECT_EQ(big.Get(Key::kContent).size(), text.size() + 2);
    EXPECT_EQ(Good(R"({"jsonrpc":"2.0","id":2,"result":{}})", check).id(), "2");
  }
}

TEST(MessageParse, KnowsEveryMemberByItsName) {
  const Message message = Good(
      R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"name":1,"uri":2,"arguments":3,"_meta":{},)"
      R"("cursor":5,"ref":6,"task":7,"taskId":8,"level":9,"protocolVersion":10,"capabilities":11,)"
      R"("clientInfo":12,"notifications":13,"requestId":14,"progressToken":15,"progress":16,)"
      R"("requestState":17,"inputResponses":18,"inputRequests":19,"resultType":20,"ttlMs":21,)"
      R"("cacheScope":22,"isError":23,"content":24,"structuredContent":25,"nextCursor":26,)"
      R"("tools":27,"prompts":28,"resources":29,"resourceTemplates":30,"contents":31,)"
      R"("serverInfo":32,"instructions":33,"supportedVersions":34,"reason":35,"context":36}})");
  for (std::size_t i = 0; i < static_cast<std::size_t>(Key::kCount); ++i) {
    if (static_cast<Key>(i) == Key::kMeta) continue;
    EXPECT_EQ(message.Get(static_cast<Key>(i)), std::to_string(i + 1));
  }
  const Message meta = Good(
      R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{)"
      R"("io.modelcontextprotocol/protocolVersion":1,"io.modelcontextprotocol/clientCapabilities":2,)"
      R"("io.modelcontextprotocol/clientInfo":3,"io.modelcontextprotocol/logLevel":4,)"
      R"("progressToken":5,"io.modelcontextprotocol/subscriptionId":6,)"
      R"("io.modelcontextprotocol/serverInfo":7,"traceparent":8}}})");
  for (std::size_t i = 0; i < static_cast<std::size_t>(MetaKey::kCount); ++i) {
    EXPECT_EQ(meta.Get(static_cast<MetaKey>(i)), std::to_string(i + 1));
  }
}

}  // namespace
}  // namespace switchyard::mcp
