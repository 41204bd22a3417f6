// JSON-RPC batches, which only 2025-03-26 has (basic/index of that revision).
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

class Batches : public ::testing::Test {
 protected:
  Batches() { gateway.Serves("a", modern).Serves("b", legacy).Start(); }
  static std::string Echo(int id, std::string_view server) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
           R"(,"method":"tools/call","params":{"name":")" + std::string(server) +
           R"(__echo","arguments":{"text":")" + std::to_string(id) + "\"}}}";
  }

  FakeServer modern = FakeServer::Modern("a");
  FakeServer legacy = FakeServer::Legacy("b");
  Gateway gateway;
};

TEST_F(Batches, OfA20250326SessionAreAnsweredAsOneArray) {
  LegacyClient client(gateway.port(), "/mcp", "2025-03-26");
  const Answer answer = client.Post("[" + Echo(1, "a") + "," + Echo(2, "b") + "," + Echo(3, "a") +
                                        R"(,{"jsonrpc":"2.0","id":4,"method":"tools/list"})" + "]",
                                    {.method = "batch"});
  EXPECT_EQ(answer.status, 200) << answer;
  const json::value all = answer.message();
  ASSERT_TRUE(all.is_array()) << answer;
  ASSERT_EQ(all.as_array().size(), 4u);
  std::map<std::int64_t, json::value> by_id;
  for (const json::value& one : all.as_array()) by_id[At(one, "/id").as_int64()] = one;
  for (const int id : {1, 2, 3}) {
    EXPECT_EQ(TextAt(by_id[id], "/result/content/0/text"), std::to_string(id)) << answer;
  }
  EXPECT_TRUE(At(by_id[4], "/result/tools").is_array());
  EXPECT_FALSE(answer.Contains("resultType"));
}

TEST_F(Batches, AreBoundedAndAnOversizeOneRunsNothing) {
  LegacyClient client(gateway.port(), "/mcp", "2025-03-26");
  std::string many = "[" + Echo(0, "a");
  for (int i = 1; i < 200; ++i) many += "," + Echo(i, "a");
  const Answer answer = client.Post(many + "]", {.method = "batch"});
  EXPECT_EQ(answer.status, 400) << answer;
  EXPECT_EQ(answer.code(), -32600);
  EXPECT_TRUE(modern.received("tools/call").empty());
}

}  // namespace
}  // namespace switchyard::tests
