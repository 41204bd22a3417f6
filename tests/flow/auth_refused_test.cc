// Requests that are turned away for their credential: before their body is read, and with a record
// of it in the audit log.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "support/becomes.h"
#include "support/gateway_fixture.h"
#include "support/temp_dir.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class TurnedAway : public ::testing::Test {
 protected:
  ~TurnedAway() override { gateway.Stop(); }
  void Start() {
    gateway.Serves("a", fake)
        .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") + "]}")
        .With("audit", "{path: " + path + "}")
        .Start();
  }
  // A head of a POST; `more` lines.
  static std::string HeadOf(const std::string& token, const std::string& more) {
    return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Accept: application/json, text/event-stream\r\n" +
           (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + more + "\r\n";
  }
  Wire Connect() const { return Wire::Connect(gateway.port()); }

  std::vector<json::value> Records(const std::string& event) {
    gateway.Stop();
    std::vector<json::value> records;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      json::value record = Parse(line);
      if (TextAt(record, "/event") == event) records.push_back(std::move(record));
    }
    return records;
  }

  const TempDir directory;
  const std::string path = directory.Path("audit.jsonl");
  FakeServer fake = FakeServer::Modern("a");
  TokenIssuer issuer;
  Gateway gateway;
};

TEST_F(TurnedAway, ALongBodyIsNotReadBefore) {
  Start();
  for (const char* framing : {"Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n",
                              "Content-Length: 10\r\nExpect: 100-continue\r\n"}) {
    Wire wire = Connect();
    ASSERT_TRUE(wire.Write(HeadOf("not-a-token", framing)));
    const auto head = ReadHead(wire);  // nothing of the body was sent
    ASSERT_TRUE(head) << framing;
    EXPECT_EQ(head->status(), 401) << framing;
    EXPECT_THAT(head->Get("www-authenticate"), HasSubstr("invalid_token"));
    EXPECT_EQ(head->Get("connection"), "close") << framing;
    ReadBody(wire, *head, true);
    EXPECT_EQ(wire.ReadToEnd(), "") << "and nothing else is answered";
  }
}

TEST_F(TurnedAway, AShortBodyLeavesTheConnectionAsItIs) {
  Start();
  Wire wire = Connect();
  for (int i = 0; i < 2; ++i) {  // in one piece, and the next one behind it
    ASSERT_TRUE(wire.Write(HeadOf("no", "Content-Length: 2\r\n") + "{}" +
                           HeadOf("", "Content-Length: 2\r\n") + "{}"));
    for (int n = 0; n < 2; ++n) {
      const auto head = ReadHead(wire);
      ASSERT_TRUE(head);
      EXPECT_EQ(head->status(), 401);
      ReadBody(wire, *head, true);
    }
  }
}

TEST_F(TurnedAway, WhoIsLetInIsToldToGoOnAndHeard) {
  Start();
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__echo","arguments":)"
      R"({"text":")" +
      std::string(40'000, 'x') +
      R"("},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
  const std::string mirrored =
      "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: a__echo\r\n";
  Wire wire = Connect();
  ASSERT_TRUE(wire.Write(
      HeadOf(issuer.Token("alice"), mirrored + "Expect: 100-continue\r\nContent-Length: " +
                                        std::to_string(body.size()) + "\r\n")));
  const auto go_on = ReadHead(wire);
  ASSERT_TRUE(go_on);
  EXPECT_EQ(go_on->status(), 100);
  ASSERT_TRUE(wire.Write(body));
  const auto head = ReadHead(wire);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status(), 200);
  EXPECT_THAT(ReadBody(wire, *head, true).value_or(""), HasSubstr("xxxx"));
}

TEST_F(TurnedAway, IsRecordedWithoutTheCredential) {
  Start();
  const auth::NewKey key = auth::MakeApiKey();
  const std::string expired =
      issuer.Token("alice", {{"exp", std::to_string(TokenIssuer::Now() - 3600)}});
  for (const std::string& token : {std::string(), expired, key.text, std::string("swy_secret")}) {
    ModernClient client(gateway.port(), "/mcp", token);
    EXPECT_EQ(client.Request({.method = "tools/list"}).status, 401);
  }
  std::vector<json::value> records = Records("refused");
  ASSERT_THAT(records, SizeIs(4));
  // Each worker's come in their order.
  std::ranges::sort(records, {}, [](const json::value& one) { return TextAt(one, "/time"); });
  const char* const kinds[] = {"none", "token", "api_key", "api_key"};
  const char* const reasons[] = {"missing", "expired", "unknown_key", "malformed"};
  for (std::size_t i = 0; i < records.size(); ++i) {
    const json::value& record = records[i];
    EXPECT_EQ(TextAt(record, "/credential"), kinds[i]) << record;
    EXPECT_EQ(TextAt(record, "/reason"), reasons[i]) << record;
    EXPECT_EQ(TextAt(record, "/code"), "unauthenticated") << record;
    EXPECT_EQ(TextAt(record, "/endpoint"), "/mcp");
    EXPECT_EQ(TextAt(record, "/peer"), "127.0.0.1");
    EXPECT_EQ(TextAt(record, "/method"), "POST");
    const std::string text = json::serialize(record);
    EXPECT_THAT(text, Not(HasSubstr(expired)));
    EXPECT_THAT(text, Not(HasSubstr(key.text)));
    EXPECT_THAT(text, Not(HasSubstr("secret")));
  }
  EXPECT_EQ(TextAt(records[2], "/key_prefix"), key.kept.prefix);
  EXPECT_EQ(TextAt(records[3], "/key_prefix"), "") << "of no key";
}

TEST_F(TurnedAway, AFloodIsCountedAndNotWritten) {
  Start();
  ModernClient client(gateway.port());
  constexpr int kMany = 400;
  for (int i = 0; i < kMany; ++i) client.Request({.method = "tools/list"});
  // Said once a second has passed, or with the next that is recorded.
  const auto told = [&] {
    std::ifstream in(path);
    std::int64_t count = 0;
    for (std::string line; std::getline(in, line);) {
      const json::value record = Parse(line);
      if (TextAt(record, "/event") != "refused") continue;
      const json::value left_out = At(record, "/left_out");
      if (left_out.is_int64()) count += left_out.as_int64();
      if (!TextAt(record, "/peer").empty()) ++count;
    }
    return count;
  };
  EXPECT_TRUE(Becomes([&] { return told() >= kMany; })) << told();
  EXPECT_LE(Records("refused").size(), 150U);
}

}  // namespace
}  // namespace switchyard::tests
