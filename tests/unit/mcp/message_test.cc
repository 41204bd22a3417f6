#include "mcp/message.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

Message Parsed(std::string text) {
  Result<Message> message = Message::Parse(std::move(text));
  EXPECT_TRUE(message) << message.error().message;
  return message ? std::move(*message) : Message();
}

TEST(Message, AnEmptyOneReadsAsAbsent) {
  const Message message;
  EXPECT_EQ(message.id(), "");
  EXPECT_EQ(message.bytes(), "");
  EXPECT_EQ(message.method(), Method::kUnknown);
  EXPECT_FALSE(message.Has(Key::kName));
  EXPECT_EQ(message.ToText(), "");
}

TEST(Message, GoesOutAsItCameIn) {
  const std::string text = R"( {"jsonrpc":"2.0" , "id":"x","method":"ping","extra":[1, 2]} )";
  EXPECT_EQ(Parsed(text).ToText(), text);
}

TEST(Message, GetsAnotherId) {
  Message message = Parsed(R"({"jsonrpc":"2.0","id":"client","method":"ping"})");
  message.SetId("17");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":17,"method":"ping"})");
  EXPECT_EQ(message.id(), R"("client")") << "edits change what is written, not what is read";
  message.SetId("18");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":18,"method":"ping"})");
}

TEST(Message, GetsAnIdWhereThereWasNone) {
  Message absent = Parsed(R"( {"jsonrpc":"2.0","error":{"code":1,"message":""}})");
  absent.SetId("3");
  EXPECT_EQ(absent.ToText(), R"( {"id":3,"jsonrpc":"2.0","error":{"code":1,"message":""}})");
  Message null = Parsed(R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}})");
  null.SetId("3");
  EXPECT_EQ(null.ToText(), R"({"jsonrpc":"2.0","id":3,"error":{"code":1,"message":""}})");
}

TEST(Message, GetsAnotherResultThatSwallowsEarlierEdits) {
  Message message = Parsed(R"({"jsonrpc":"2.0","id":1,"result":{"ttlMs":5,"content":[]}})");
  message.edits().RemoveMember(message.bytes(), message.member(Key::kTtlMs));
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})");
  message.SetResult(R"({"capped":true})");
  message.SetId("2");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":2,"result":{"capped":true}})");
}

TEST(Message, KeepsItsBytesInPlaceWhenMoved) {
  Message first = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x"})");
  const char* const bytes = first.bytes().data();
  const std::string_view id = first.id();
  const Message second = std::move(first);
  EXPECT_EQ(second.bytes().data(), bytes);
  EXPECT_EQ(second.id().data(), id.data());
}

TEST(Message, ACloneIsAnotherMessage) {
  Message first = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x"})");
  first.SetId("2");
  Message copy = first.Clone();
  first.SetId("3");
  EXPECT_EQ(copy.ToText(), R"({"jsonrpc":"2.0","id":2,"method":"x"})");
  EXPECT_EQ(copy.id(), "1");
  EXPECT_NE(copy.bytes().data(), first.bytes().data());
  EXPECT_EQ(Message().Clone().ToText(), "");
}

TEST(Message, ASharedResultIsWrittenWithoutACopy) {
  const auto shared = std::make_shared<const std::string>(R"({"tools":[]})");
  Message message = Message::FromResult(R"("a")", shared);
  EXPECT_EQ(message.kind(), Kind::kResult);
  EXPECT_EQ(message.id(), R"("a")");
  EXPECT_EQ(message.result(), *shared);
  EXPECT_EQ(message.bytes(), *shared);
  EXPECT_FALSE(message.Has(Key::kTools)) << "not read";
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":"a","result":{"tools":[]}})");
  Pieces pieces;
  message.AppendTo(pieces);
  EXPECT_EQ(pieces[3].data(), shared->data());
}

TEST(Message, ASharedResultTakesEditsAndIds) {
  const auto shared = std::make_shared<const std::string>(R"({"tools":[]})");
  Message message = Message::FromResult("1", shared);
  message.edits().Insert(1, R"("a":0,)");
  message.SetId("2");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":2,"result":{"a":0,"tools":[]}})");
  message.SetResult("{}");
  EXPECT_EQ(message.ToText(), R"({"jsonrpc":"2.0","id":2,"result":{}})");
  EXPECT_EQ(*shared, R"({"tools":[]})");
}

TEST(Message, AnOwnResultReadsLikeAReceivedOne) {
  const Message message =
      Message::FromResult("7", std::string(R"({"resultType":"complete","content":[]})"));
  EXPECT_EQ(message.GetString(Key::kResultType), "complete");
  EXPECT_EQ(message.ToText(),
            R"({"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[]}})");
}

TEST(Message, AResultThatNobodyCouldReadGoesOutAsAnError) {
  for (const char* foreign : {R"({"_meta":7})", R"({"content":[],"content":[]})", "7", "{"}) {
    const Message message = Message::FromResult("\"x\"", std::string(foreign));
    EXPECT_EQ(message.kind(), Kind::kError) << foreign;
    EXPECT_EQ(message.error_code(), -32603);
    EXPECT_EQ(message.id(), "\"x\"");
  }
}

TEST(Message, MakesRequestsAndNotifications) {
  const Message request = Message::Make("1", "tools/list", R"({"cursor":"c"})");
  EXPECT_EQ(request.kind(), Kind::kRequest);
  EXPECT_EQ(request.method(), Method::kToolsList);
  EXPECT_EQ(request.GetString(Key::kCursor), "c");
  EXPECT_EQ(request.ToText(),
            R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c"}})");
  EXPECT_EQ(Message::Make("", "notifications/initialized", "").ToText(),
            R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
}

TEST(Message, MakesErrors) {
  EXPECT_EQ(Message::MakeError("1", -32601, "no \"x\"").ToText(),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no \"x\""}})");
  const Message error = Message::MakeError("", -32700, "m", R"({"a":1})");
  EXPECT_EQ(error.ToText(),
            R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"m","data":{"a":1}}})");
  EXPECT_EQ(error.error_code(), -32700);
}

TEST(Message, OtherMetaKeepsWhatIsNotKnown) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({})", ""},
      {R"({"progressToken":1})", ""},
      {R"({"a":1})", R"("a":1)"},
      {R"({ "a" : [1,2] , "b":{"c":","} })", R"("a" : [1,2] , "b":{"c":","})"},
      {R"({"a":1,"progressToken":1,"b":2})", R"("a":1,"b":2)"},
      {R"({"progressToken":1,"a":1 , "traceparent":"t"})", R"("a":1)"},
      {R"({"traceparent":"t","progressToken":1, "a" :1,"b":2})", R"("a" :1,"b":2)"},
      {R"({"tracestate":"s","baggage":"b"})", R"("tracestate":"s","baggage":"b")"},
      {R"({"":",","progressToken":","})", R"("":",")"},
  };
  for (const auto& [meta, expected] : kCases) {
    const Message message = Parsed(
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":)") + meta + "}}");
    EXPECT_EQ(message.OtherMeta(), expected) << meta;
  }
  EXPECT_EQ(Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x"})").OtherMeta(), "");
}

}  // namespace
}  // namespace switchyard::mcp
