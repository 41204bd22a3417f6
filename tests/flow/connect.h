// A gateway to one of whose servers users connect their accounts, for tests of that.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/admin.h"
#include "support/fake_authorization.h"
#include "support/fake_login.h"
#include "support/gateway_fixture.h"
#include "support/legacy_session.h"
#include "support/temp_dir.h"
#include "support/token_issuer.h"

namespace switchyard::tests {

inline constexpr const char* kUrls = R"({"elicitation":{"url":{}}})";
inline const std::string kVaultKey = std::string(64, 'a');

// Opens a link and signs in at the issuer: where the browser is sent back to, and with what.
struct SignIn {
  SignIn(std::uint16_t port, const std::string& link, FakeLogin& login, const std::string& subject)
      : browser(port), path(Browser::PathOf(link)) {
    sent = Browser::Next(browser.Press(path, browser.Get(path)));
    EXPECT_TRUE(sent.starts_with("https://issuer.example/authorize?")) << sent;
    back = Browser::PathOf(FakeAuthorization::Query(sent).at("redirect_uri"));
    query = login.SignIn(sent, subject);
  }
  // The page that says how it went.
  Answer ComesBack() { return browser.Get(back + "?" + query); }

  Browser browser;
  std::string path, sent, back, query;
};

class ConnectFixture {
 protected:
  ~ConnectFixture() { gateway.Stop(); }

  // `keys`: more of the credentials. `of_issuer`: of who gives callers their tokens.
  Gateway& Says(const std::string& url, const std::string& keys,
                const std::string& of_issuer = "") {
    gateway.FetchesBy(authorization.fetcher())
        .GoesBy(clock)
        .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]" + of_issuer) + "]}")
        .With("admin", std::string("{token: ") + kAdminToken + "}")
        .With("credentials",
              "{dir: '" + directory.Path("vault") + "', keys: ['" + kVaultKey + "']}")
        .ServesUrl("a", url, "credentials: {kind: oauth" + (keys.empty() ? "" : ", " + keys) + "}");
    return gateway;
  }

  // Good for all the hours that pass in a test.
  std::string TokenOf(const std::string& subject) const {
    return issuer.Token(subject, {{"exp", std::to_string(TokenIssuer::Now() + 100'000)}});
  }
  ModernClient Modern(const std::string& subject = "alice",
                      const std::string& capabilities = kUrls) const {
    ModernClient client(gateway.port(), "/mcp", TokenOf(subject));
    client.set_capabilities(capabilities);
    return client;
  }
  LegacyClient Legacy(const std::string& subject, const std::string& capabilities,
                      const std::string& version = "2025-11-25") const {
    LegacyClient client(gateway.port(), "/mcp", version, TokenOf(subject));
    const Answer answer = client.Request(
        {.method = "initialize",
         .members = R"("protocolVersion":")" + version + R"(","capabilities":)" + capabilities +
                    R"(,"clientInfo":{"name":"test","version":"1"})"});
    const auto session = answer.headers.find("mcp-session-id");
    if (session != answer.headers.end()) client.set_session(session->second);
    return client;
  }
  static Answer Echo(Client& client, const std::string& text = "x", const std::string& more = "") {
    return client.Request(
        {.method = "tools/call",
         .members = R"("name":"a__echo","arguments":{"text":")" + text + "\"}" + more});
  }
  // Of what a client was asked to open.
  static std::string LinkIn(const Answer& answer) {
    return TextAt(answer.message(), "/result/inputRequests/switchyard_connect/params/url");
  }
  std::string LinkFor(const std::string& subject) const {
    ModernClient client = Modern(subject);
    return LinkIn(Echo(client));
  }
  void Connect(const std::string& subject) {
    const Answer done = Browser(gateway.port()).Connect(LinkFor(subject), authorization);
    EXPECT_NE(done.body.find("<h1>Connected</h1>"), std::string::npos) << done;
  }
  Answer Admin(const std::string& method, const std::string& body = "") const {
    return AskAdmin(gateway, method + " /admin/connections", body, kAsAdmin);
  }
  static std::string Shown(const FakeServer::Received& received) {
    const auto header = received.headers.find("authorization");
    return header == received.headers.end() ? "nothing" : header->second;
  }

  const TempDir directory;
  TokenIssuer issuer;
  FakeAuthorization authorization;
  LeapingClock clock;
  Gateway gateway;
};

}  // namespace switchyard::tests
