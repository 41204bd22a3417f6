// The listener under TLS. What passes through is asked by a gateway in front, which is a TLS
// client; what a handshake refuses, by OpenSSL's own blocking client.
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "support/gateway_fixture.h"
#include "support/handshake.h"
#include "support/scripted_http_server.h"
#include "support/standard_tools.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kHealth =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class Tls : public ::testing::Test {
 protected:
  std::string Settings(const std::string& more = "") const {
    return "{address: 127.0.0.1:0, allowed_hosts: [localhost, 127.0.0.1], tls: {certificate: " +
           certificate_file.path() + ", key: " + key_file.path() + more + "}}";
  }
  void Start(const std::string& more = "") {
    inner.Serves("a", fake).With("listen", Settings(more)).Start();
  }
  // Plain HTTP on its other side.
  void Front(const std::string& trust) {
    front.ServesUrl("in", "https://localhost:" + std::to_string(inner.port()) + "/mcp",
                    "prefix: '', " + trust);
    front.Start();
  }
  std::string Pin() const { return "tls_pin: " + certificate_file.path(); }
  static void Write(const TextFile& file, const std::string& text) {
    std::ofstream(file.path()) << text;
  }

  const TestCertificate certificate = TestCertificate::For("localhost");
  const TestCertificate other = TestCertificate::For("localhost");
  const TextFile certificate_file{certificate.certificate_pem}, key_file{certificate.key_pem};
  const TextFile authority_file{certificate.authority_pem};
  const TextFile other_certificate{other.certificate_pem}, other_key{other.key_pem};
  const TextFile other_authority{other.authority_pem};
  FakeServer fake = FakeServer::Modern("a");
  Gateway inner, front;
};

TEST_F(Tls, CallsOfEveryKindPassThroughIt) {
  const std::string big(3'000'000, 'x');
  fake.surface().AddTool("huge", [&big](Turn& turn) { turn.Text(big); });
  fake.surface().AddTool("steps", [](Turn& turn) {
    turn.Progress(1, 2);
    turn.Wait(turn.surface().Named("go"));
    turn.Text("done");
  });
  fake.surface().AddTool("hang", [](Turn& turn) {
    turn.surface().Named("hanging").Set();
    if (!turn.Wait(turn.surface().Named("never"))) turn.surface().Named("cancelled").Set();
  });
  Start();
  Front("tls_ca: " + authority_file.path());
  ModernClient client = front.Modern();
  EXPECT_EQ(client.Call("a__huge").text(), big);
  const Answer said = client.Call("a__huge", R"({"what":")" + big + R"("})");
  EXPECT_EQ(said.text().size(), big.size());
  Exchange steps = client.BeginCall("a__steps", "{}", R"("progressToken":1)");
  ASSERT_TRUE(steps.NextEvent().has_value()) << "progress comes before the end";
  fake.surface().Named("go").Set();
  EXPECT_EQ(steps.Finish().text(), "done");
  Exchange hang = client.BeginCall("a__hang");
  ASSERT_TRUE(WaitFor(fake.surface().Named("hanging")));
  client.Cancel(hang);
  EXPECT_TRUE(WaitFor(fake.surface().Named("cancelled")));
}

// Some of the children live at one worker and some at the other: the connection follows the work.
TEST_F(Tls, AConnectionMovesToTheWorkerThatDoesTheWork) {
  const std::vector<std::string> children = {"one", "two", "three", "four"};
  for (const std::string& child : children) inner.ServesChild(child);
  Start();
  Front(Pin());
  ModernClient client = front.Modern();
  for (const std::string& child : children) {
    for (int i = 0; i < 40; ++i) {
      const std::string text = std::to_string(i);
      ASSERT_EQ(client.Call(child + "__echo", R"({"text":")" + text + R"("})").text(), text);
    }
  }
}

TEST_F(Tls, WhoSpeaksPlainHttpIsTold) {
  Start();
  const Answer answer = inner.Modern().Raw(kHealth);
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.Contains("https://")) << answer;
}

TEST_F(Tls, OldVersionsAndOtherProtocolsAreRefused) {
  Start();
  EXPECT_TRUE(Handshake(inner.port(), {}).connected());
  EXPECT_TRUE(Handshake(inner.port(), {.newest = TLS1_2_VERSION}).connected());
  EXPECT_FALSE(Handshake(inner.port(), {.newest = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(Handshake(inner.port(), {.protocols = "\x02h2"}).connected());
}

TEST_F(Tls, WhatFitsIntoARecordIsOne) {
  Start();
  Handshake client(inner.port(), {});
  EXPECT_NE(client.Ask(kHealth).find("200 OK"), std::string::npos);
  EXPECT_EQ(client.reads(), 1);
}

TEST_F(Tls, AnAnswerEndsInOrder) {
  Start();
  Handshake client(inner.port(), {});
  EXPECT_NE(client.Ask(kHealth).find("200 OK"), std::string::npos);
  EXPECT_TRUE(client.ended_in_order()) << "so that nobody can have cut it off";
}

TEST_F(Tls, OnlyClientsWithACertificateOfTheAuthorityAreLetIn) {
  Start(", client_ca: " + authority_file.path());
  const auto ask = [this](const Handshake::Options& options) {
    return Handshake(inner.port(), options).Ask(kHealth).contains("200 OK");
  };
  const Handshake::Options known = {.certificate = certificate_file.path(), .key = key_file.path()};
  const Handshake::Options foreign = {.certificate = other_certificate.path(),
                                      .key = other_key.path()};
  EXPECT_TRUE(ask(known));
  EXPECT_FALSE(ask(foreign));
  EXPECT_FALSE(ask({}));
  inner.With("listen",
             Settings(", client_ca: " + authority_file.path() + ", client_certificate: optional"));
  inner.Reload();
  EXPECT_TRUE(ask({}));
  EXPECT_TRUE(ask(known));
  EXPECT_FALSE(ask(foreign)) << "one that is shown has to be right";
}

TEST_F(Tls, AConnectionOfOtherRulesThanNowHasToBeOpenedAgain) {
  const std::string authority = ", client_ca: " + authority_file.path();
  Start(authority + ", client_certificate: optional");
  Handshake before(inner.port(), {});
  ASSERT_TRUE(before.connected());
  inner.With("listen", Settings(authority));
  inner.Reload();
  EXPECT_TRUE(before.Ask(kHealth).starts_with("HTTP/1.1 421"));
}

TEST_F(Tls, ACertificateThatIsRenewedIsShownFromTheNextConnectionOn) {
  fake.surface().AddTool("look", [](Turn& turn) { turn.Text("seen"); });
  Start();
  Front(Pin());
  ModernClient client = front.Modern();
  EXPECT_EQ(client.Call("a__look").text(), "seen");
  EXPECT_TRUE(Handshake(inner.port(), {}).Showed(certificate));
  Write(certificate_file, other.certificate_pem);
  Write(key_file, other.key_pem);
  inner.Reload();
  EXPECT_TRUE(Handshake(inner.port(), {}).Showed(other));
  EXPECT_EQ(client.Call("a__look").text(), "seen") << "on the connection that is open";
}

TEST_F(Tls, ABrokenCertificateIsRefusedAndTheOldOneStays) {
  Start();
  Write(certificate_file, other.certificate_pem);  // the key is not that one's
  const Result<void> reloaded = inner.TryReload();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().message.find(key_file.path()), std::string::npos)
      << reloaded.error().message;
  EXPECT_TRUE(Handshake(inner.port(), {}).Showed(certificate));
}

// OpenSSL itself compares only keys of one kind.
TEST_F(Tls, AKeyOfAnotherKindThanTheCertificateIsRefused) {
  Start();
  EVP_PKEY* const rsa = EVP_RSA_gen(2048);
  BIO* const text = BIO_new_file(key_file.path().c_str(), "w");
  PEM_write_bio_PrivateKey(text, rsa, nullptr, nullptr, 0, nullptr, nullptr);
  BIO_free(text);
  EVP_PKEY_free(rsa);
  EXPECT_FALSE(inner.TryReload());
  EXPECT_TRUE(Handshake(inner.port(), {}).Showed(certificate));
}

TEST_F(Tls, AServerThatIsPinnedMustShowThatVeryCertificate) {
  Start();
  Front("tls_pin: " + other_certificate.path());
  const Answer answer = front.Modern().Request({.method = "tools/list"});
  EXPECT_EQ(answer.text(), "");
  EXPECT_TRUE(front.Modern().Tools().empty());
}

// Of the connection, with every request; on whichever worker it is.
TEST_F(Tls, ACertificateSaysWhoCalls) {
  inner.With("auth", "{certificates: [{cn: nobody}, {dns: \"local*\", roles: [agent]}]}")
      .With("policies",
            "{authorize: {rules: [{effect: allow, who: {role: agent, subject: "
            "localhost}, what: {tool: echo}}]}}");
  Start(", client_ca: " + authority_file.path() + ", client_certificate: optional");
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{)"
                           R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                           R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
  const std::string request =
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: "
      "application/json\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n"
      "Connection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  Handshake known(inner.port(), {.certificate = certificate_file.path(), .key = key_file.path()});
  const std::string answer = known.Ask(request);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_TRUE(answer.contains(R"("a__echo")")) << answer;
  EXPECT_FALSE(answer.contains(R"("a__mirror")")) << answer;
  Handshake unknown(inner.port(), {});
  EXPECT_TRUE(unknown.Ask(request).starts_with("HTTP/1.1 401"));
}

}  // namespace
}  // namespace switchyard::tests
