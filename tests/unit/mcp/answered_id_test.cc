#include "mcp/answered_id.h"

#include <string>

#include <gtest/gtest.h>

#include "mcp/message.h"

namespace switchyard::mcp {
namespace {

TEST(AnsweredId, IsFoundInWhatIsNoJsonRpc) {
  for (const std::string text : {
           R"({"jsonrpc":"2.0","id":5,"result":null})",
           R"({"jsonrpc":"2.0","id":5})",
           R"({"result":{"id":6},"id":5,"error":{"id":7}})",
           R"( { "id" : 5 , "result" : "a \" {" } )",
           R"({"id":5,"id":"zz","result":{}})",
           R"([{"id":5,"result":{}}])",
           R"([{"method":"x","id":4},{"jsonrpc":"2.0"},{"id":5,"result":{}}])",
           R"({"id":5.0,"result":{}})",
           R"({"id":5,"result":{"con)",
           "{\"id\":5,\"result\":{\"t\":\"\xff\xfe\"}}",
           "{\"result\":{\"t\":\"\xff\"},\"id\":5}",
       }) {
    EXPECT_EQ(AnsweredId(text), "5") << text;
  }
  EXPECT_EQ(AnsweredId(R"({"id":5,"result":)" + std::string(100'000, '[')), "5");
}

TEST(AnsweredId, IsNoneWhereThereIsNoAnswer) {
  for (const std::string text : {
           "",
           "   ",
           "hello",
           "}",
           "}}}}{{",
           "{]this is no JSON",
           R"({"id":5,"method":7})",
           R"({"method":"x","id":5,"result":{}})",
           R"({"id":"5","result":{}})",
           R"({"id":null,"result":{}})",
           R"({"id":-,"result":{}})",
           R"({"id":})",
           R"({"id")",
           R"({"id":)",
           R"({"a":"id","x":["id",{"id":5}],"y":{"id":5}})",
           R"({"a":1}{"b":"id":5)",
           R"({"\"id":5})",
           "{\"id\\",
       }) {
    EXPECT_EQ(AnsweredId(text), "") << text;
  }
}

TEST(AnsweredId, IsTheReadableIdOfARefusedReply) {
  const auto id_of = [](const std::string& text, Check check) {
    std::string id = "none";
    EXPECT_FALSE(Message::Parse(text, check, &id)) << text;
    return id;
  };
  EXPECT_EQ(id_of("{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"t\":\"\xff\"}}", Check::kEnvelope),
            "5");
  EXPECT_EQ(id_of(R"([{"jsonrpc":"2.0","id":5,"result":{}}])", Check::kEnvelope), "5");
  EXPECT_EQ(id_of(R"({"jsonrpc":"2.0","id":5,"result":null})", Check::kEnvelope), "5");
  EXPECT_EQ(id_of(R"({"jsonrpc":"2.0","id":5,"method":7})", Check::kEnvelope), "")
      << "nobody's answer";
  EXPECT_EQ(id_of(R"({"jsonrpc":"2.0","id":5,"method":7})", Check::kFull), "5");
  EXPECT_EQ(id_of(R"({"jsonrpc":"2.0","id":5,)", Check::kFull), "none");
}

}  // namespace
}  // namespace switchyard::mcp
