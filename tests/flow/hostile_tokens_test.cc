// Tokens, headers and requests of somebody who means harm, at the door of a whole gateway: each is
// refused with the status that it deserves, none gets through to a server, nothing is given away,
// and the gateway serves on.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "support/gateway_fixture.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Hostile {
  std::string name;
  std::string header;  // whole lines
  int status;
};

std::string Bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

std::string Encoded(const std::string& text) { return EncodeBase64Url(text); }

class HostileTokens : public ::testing::Test {
 protected:
  void SetUp() override {
    gateway.Serves("a", fake)
        .With("auth",
              "{issuers: [" + issuer.Config("audience: [gateway], algorithms: [RS256]") + "]}")
        .Start();
  }
  void TearDown() override {
    EXPECT_EQ(Ask(Bearer(issuer.Token("alice"))).text(), "x");  // it serves on
  }

  std::string Good() const { return issuer.Token("alice"); }
  std::string Part(int n) const {
    const std::string token = Good();
    const std::size_t first = token.find('.'), second = token.find('.', first + 1);
    if (n == 0) return token.substr(0, first);
    return n == 1 ? token.substr(first + 1, second - first - 1) : token.substr(second + 1);
  }
  std::string Payload(const TokenIssuer::Claims& changed = {}) const {
    return issuer.Payload("alice", changed);
  }
  // Signed by the right key, whatever the header says.
  std::string Signed(const std::string& header, const std::string& payload) const {
    return issuer.signer().Token("RS256", header, payload);
  }
  std::string WithClaims(const TokenIssuer::Claims& changed) const {
    return Signed(R"({"alg":"RS256","kid":"k"})", Payload(changed));
  }
  std::string WithHeader(const std::string& header) const { return Signed(header, Payload()); }
  std::string Unsigned(const std::string& header) const {
    return Encoded(header) + "." + Encoded(Payload()) + ".";
  }

  Answer Ask(const std::string& header, const std::string& target = "/mcp") const {
    const std::string meta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                             R"("io.modelcontextprotocol/clientCapabilities":{}})";
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{)"
                             R"("name":"a__echo","arguments":{"text":"x"},)" +
                             meta + "}}";
    return gateway.Modern().Raw(
        "POST " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(gateway.port()) +
        "\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: a__echo\r\n" +
        header + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  void ExpectRefused(const Hostile& row, const std::string& target = "/mcp") const {
    const std::size_t calls = fake.received("tools/call").size();
    const Answer answer = Ask(row.header, target);
    EXPECT_EQ(answer.status, row.status) << row.name << ": " << answer;
    EXPECT_EQ(fake.received("tools/call").size(), calls) << row.name;
    // Neither what is here nor why it was refused.
    for (const char* told : {"a__", "echo", "alice", "issuer.example", "signature", "expired",
                             "kid", "RS256", "claim", "audience"}) {
      EXPECT_THAT(answer.body, Not(HasSubstr(told))) << row.name;
    }
    const auto challenge = answer.headers.find("www-authenticate");
    if (row.status == 401) {
      ASSERT_NE(challenge, answer.headers.end()) << row.name;
      EXPECT_THAT(challenge->second, Not(HasSubstr("\t"))) << row.name;
      EXPECT_LT(challenge->second.size(), 300U) << row.name;
    }
  }

  FakeServer fake = FakeServer::Modern("a");
  TokenIssuer issuer{"https://issuer.example", Signer::Rsa(), "RS256"};
  Gateway gateway;
};

TEST_F(HostileTokens, WithoutASignatureNothingIsBelieved) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "none ", " none", "", "null",
                          "NONE\\u0000", "\\u006eone", "\\u006e\\u006f\\u006e\\u0065"}) {
    const std::string header = R"({"alg":")" + std::string(alg) + R"(","kid":"k"})";
    ExpectRefused({"unsigned " + header, Bearer(Unsigned(header)), 401});
    ExpectRefused({"signed " + header, Bearer(WithHeader(header)), 401});
    ExpectRefused({"copied " + header, Bearer(Unsigned(header) + Part(2)), 401});
  }
  for (const char* header :
       {R"({"kid":"k"})", R"({"alg":null,"kid":"k"})", R"({"alg":0})", R"({"alg":["RS256"]})",
        R"({"alg":{"alg":"RS256"}})", R"({"alg":"RS256","alg":"none"})",
        R"({"alg":"none","alg":"RS256","kid":"k"})",
        R"({"\u0061lg":"none","alg":"RS256","kid":"k"})", R"({"ALG":"RS256","kid":"k"})"}) {
    ExpectRefused({header, Bearer(Unsigned(header)), 401});
    ExpectRefused({header, Bearer(WithHeader(header)), 401});
  }
  const std::string good = Good();
  ExpectRefused({"stripped", Bearer(Part(0) + "." + Part(1) + "."), 401});
  ExpectRefused({"two parts", Bearer(Part(0) + "." + Part(1)), 401});
  ExpectRefused({"one part", Bearer(Part(0)), 401});
  ExpectRefused({"four parts", Bearer(good + ".x"), 401});
  ExpectRefused({"five parts", Bearer("a.b.c.d.e"), 401});
  ExpectRefused({"dots", Bearer(".."), 401});
  ExpectRefused({"a dot", Bearer("."), 401});
  ExpectRefused({"no header", Bearer("." + Part(1) + "." + Part(2)), 401});
  ExpectRefused({"no payload", Bearer(Part(0) + ".." + Part(2)), 401});
  ExpectRefused({"half a signature", Bearer(good.substr(0, good.size() - 20)), 401});
  ExpectRefused({"a longer one", Bearer(good + "AAAA"), 401});
  std::string turned = good;
  turned[turned.size() - 10] = turned[turned.size() - 10] == 'A' ? 'B' : 'A';
  ExpectRefused({"another character", Bearer(turned), 401});
  ExpectRefused({"parts swapped", Bearer(Part(1) + "." + Part(0) + "." + Part(2)), 401});
}

TEST_F(HostileTokens, KeysAreNotWhatATokenSaysTheyAre) {
  const std::string payload = Payload();
  const Signer other = Signer::Rsa(), curve = Signer::Ec("P-256"), ed = Signer::Ed25519();
  const std::string pem = issuer.signer().Pem(), jwk = issuer.signer().Jwk();
  // The public key, which everybody has, as the secret of an HMAC.
  for (const std::string& secret :
       {pem, pem.substr(0, pem.size() - 1), jwk, std::string("k"), std::string()}) {
    const Signer hmac = Signer::Hmac(secret);
    for (const char* alg : {"HS256", "HS384", "HS512"}) {
      const std::string header = R"({"alg":")" + std::string(alg) + R"(","kid":"k"})";
      ExpectRefused({"HMAC of a key", Bearer(hmac.Token(alg, header, payload)), 401});
    }
  }
  for (const auto& [signer, alg] : {std::pair{&other, "RS256"}, std::pair{&other, "PS256"},
                                    std::pair{&curve, "ES256"}, std::pair{&ed, "EdDSA"}}) {
    const std::string plain = R"({"alg":")" + std::string(alg) + "\"";
    for (const std::string& header :
         {plain + R"(,"kid":"k"})", plain + "}", plain + R"(,"jwk":)" + signer->Jwk() + "}",
          plain + R"(,"kid":"k","jwk":)" + signer->Jwk() + "}",
          plain + R"(,"jku":"http://127.0.0.1:1/jwks"})",
          plain + R"(,"x5u":"http://127.0.0.1:1/c","kid":"k"})",
          plain + R"(,"x5c":["MIIB"],"kid":"k"})", plain + R"(,"kid":"../../etc/passwd"})",
          plain + R"(,"kid":"k' or '1'='1"})", plain + R"(,"kid":"http://169.254.169.254/"})"}) {
      ExpectRefused({header, Bearer(signer->Token(alg, header, payload)), 401});
    }
  }
  // Of the right key, in ways that it is not for.
  for (const char* alg : {"RS384", "RS512", "PS256", "PS384", "PS512"}) {
    const std::string header = R"({"alg":")" + std::string(alg) + R"(","kid":"k"})";
    ExpectRefused({header, Bearer(issuer.signer().Token(alg, header, payload)), 401});
  }
  for (const char* header :
       {R"({"alg":"RS256","kid":"k","crit":["exp"],"exp":1})", R"({"alg":"RS256","b64":false})",
        R"({"alg":"RS256","kid":"k","zip":"DEF"})", R"({"alg":"RS256","enc":"A256GCM"})",
        R"({"alg":"rs256","kid":"k"})", R"({"alg":"RS256 ","kid":"k"})",
        R"({"alg":"RS256","kid":7})", R"({"alg":"RS256","kid":"K"})",
        R"({"alg":"RS256","kid":"k","typ":"logout+jwt"})",
        R"({"alg":"RS256","kid":"k"} )"
        "x",
        R"([{"alg":"RS256"}])", "\"RS256\"", "", "{", "null",
        "{\"alg\":\"RS256\",\"kid\":\"\xff\"}"}) {
    ExpectRefused({header, Bearer(WithHeader(header)), 401});
  }
}

TEST_F(HostileTokens, ClaimsThatAreNotForUsAreRefused) {
  const std::string past = std::to_string(TokenIssuer::Now() - 600);
  const std::string future = std::to_string(TokenIssuer::Now() + 600);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"exp", past},
      {"exp", ""},
      {"exp", "null"},
      {"exp", "\"" + future + "\""},
      {"exp", "true"},
      {"exp", "-1"},
      {"exp", "0"},
      {"exp", "[" + future + "]"},
      {"exp", "{}"},
      {"nbf", future},
      {"nbf", "\"x\""},
      {"iat", future},
      {"iat", "[]"},
      {"aud", ""},
      {"aud", "null"},
      {"aud", "\"\""},
      {"aud", "[]"},
      {"aud", R"("Gateway")"},
      {"aud", R"("gateway ")"},
      {"aud", R"("gateway/")"},
      {"aud", R"(["elsewhere"])"},
      {"aud", R"([["gateway"]])"},
      {"aud", R"({"gateway":true})"},
      {"aud", R"(["gateway",7])"},
      {"aud", R"("gate\u0000way")"},
      {"iss", ""},
      {"iss", "null"},
      {"iss", R"("https://issuer.example/")"},
      {"iss", R"("HTTPS://issuer.example")"},
      {"iss", R"(["https://issuer.example"])"},
      {"iss", R"("https://issuer.example\u0000")"},
      {"iss", R"("https://evil.example")"},
      {"iss", R"("urn:switchyard:api-key")"},
      {"sub", ""},
      {"sub", "null"},
      {"sub", "\"\""},
      {"sub", "7"},
      {"sub", R"(["alice"])"},
      {"sub", R"("ali\u0000ce")"},
      {"sub", R"("alice\n")"},
      {"sub", R"("\u202ealice")"},
      {"sub", R"("a\u200blice")"},
      {"sub", R"("\ufeffalice")"},
      {"sub", R"("\ud800")"},
      {"sub", "\"" + std::string(2000, 'a') + "\""},
      {"client_id", "7"},
      {"client_id", R"("\r\nX: y")"},
      {"scope", "7"},
      {"scope", R"("a\u0022b")"},
      {"scope", R"("\u00e9")"},
      {"scope", R"({"a":1})"},
  };
  for (const auto& [claim, raw] : rows) {
    ExpectRefused({claim + " " + raw.substr(0, 40), Bearer(WithClaims({{claim, raw}})), 401});
  }
  std::string deep(100, '[');
  ExpectRefused({"deep", Bearer(WithClaims({{"x", deep + std::string(100, ']')}})), 401});
  std::string twice = Payload();
  twice.insert(1, R"("sub":"root",)");
  ExpectRefused({"two subjects", Bearer(Signed(R"({"alg":"RS256","kid":"k"})", twice)), 401});
  twice = Payload();
  twice.insert(1, R"("\u0073ub":"root",)");
  ExpectRefused({"two, escaped", Bearer(Signed(R"({"alg":"RS256","kid":"k"})", twice)), 401});
  for (const char* payload : {"", "{}", "[]", "null", "7", "\"alice\"", "{\"iss\":", "\xff\xfe"}) {
    ExpectRefused({payload, Bearer(Signed(R"({"alg":"RS256","kid":"k"})", payload)), 401});
  }
}

TEST_F(HostileTokens, HeadersThatSayItInTwoWaysAreMalformed) {
  const std::string good = Good();
  const std::vector<Hostile> rows = {
      {"two headers", Bearer(good) + Bearer(good), 400},
      {"two, one bad", Bearer("x") + Bearer(good), 400},
      {"two in other cases", "authorization: Bearer x\r\n" + Bearer(good), 400},
      {"no value", "Authorization:\r\n", 400},
      {"blanks", "Authorization:   \r\n", 400},
      {"scheme alone", "Authorization: Bearer\r\n", 400},
      {"scheme and a blank", "Authorization: Bearer \r\n", 400},
      {"a tab", "Authorization: Bearer\t" + good + "\r\n", 400},
      {"a tab behind", "Authorization: Bearer " + good + "\tx\r\n", 400},
      {"a blank within", "Authorization: Bearer " + good + " x\r\n", 400},
      {"a comma", "Authorization: Bearer " + good + ", Bearer " + good + "\r\n", 400},
      {"quoted", "Authorization: Bearer \"" + good + "\"\r\n", 400},
      {"a parameter", "Authorization: Bearer token=\"" + good + "\"\r\n", 400},
      {"padding in front", "Authorization: Bearer =" + good + "\r\n", 400},
      {"padding within", "Authorization: Bearer a=" + good + "\r\n", 400},
      {"padding alone", "Authorization: Bearer ==\r\n", 400},
      {"utf-8", "Authorization: Bearer \xc3\xa9\r\n", 400},
      {"a percent", "Authorization: Bearer %41\r\n", 400},
      {"no scheme", "Authorization: ,\r\n", 400},
      {"folded", "Authorization: Bearer\r\n " + good + "\r\n", 400},
      {"nul", "Authorization: Bearer " + std::string("a\0b", 3) + "\r\n", 400},
      {"a bare LF", "Authorization: Bearer x\nX-Y: z\r\n", 400},
      {"a bare CR", "Authorization: Bearer x\rX-Y: z\r\n", 400},
      {"a blank before the colon", "Authorization : Bearer " + good + "\r\n", 400},
      {"a longer header than is read", Bearer(std::string(20'000, 'a')), 431},
      {"as long as is read", Bearer(std::string(14'000, 'a')), 401},
      {"padded", Bearer(good + "="), 401},
      {"padded twice", Bearer(good + "=="), 401},
      {"other alphabet", Bearer(good + "+/"), 401},
      {"the token alone", "Authorization: " + good + "\r\n", 401},
      {"basic", "Authorization: Basic YWxpY2U6c2VjcmV0\r\n", 401},
      {"basic with a token", "Authorization: Basic " + good + "\r\n", 401},
      {"digest", "Authorization: Digest username=\"alice\"\r\n", 401},
      {"negotiate", "Authorization: Negotiate YII\r\n", 401},
      {"another scheme", "Authorization: Bearers " + good + "\r\n", 401},
      {"DPoP", "Authorization: DPoP " + good + "\r\n", 401},
      {"no header", "", 401},
      {"another header", "X-Authorization: Bearer " + good + "\r\n", 401},
      {"of proxies", "Proxy-Authorization: Bearer " + good + "\r\n", 401},
      {"forwarded", "X-Forwarded-User: alice\r\nX-Remote-User: alice\r\n", 401},
      {"a certificate in words", "X-SSL-Client-Verify: SUCCESS\r\n", 401},
      {"a cookie", "Cookie: access_token=" + good + "\r\n", 401},
      {"an API key header", "X-Api-Key: " + good + "\r\n", 401},
      {"a made-up key", Bearer("swy_aaaaaaaa_" + std::string(38, 'a')), 401},
      {"half a key", Bearer("swy_"), 401},
      {"undefined", Bearer("undefined"), 401},
      {"null", Bearer("null"), 401},
  };
  for (const Hostile& row : rows) ExpectRefused(row);
  for (const char* target : {"/mcp?access_token=", "/mcp?token=", "/mcp/?bearer_token=",
                             "/mcp?Authorization=Bearer%20"}) {
    ExpectRefused({target, "", 401}, target + good);
    ExpectRefused({target, Bearer("x"), 401}, target + good);
  }
}

TEST_F(HostileTokens, WhatTheStandardsAllowIsAllowed) {
  const std::string good = Good();
  for (const std::string& header :
       {"authorization: bearer " + good + "\r\n", "AUTHORIZATION: BEARER " + good + "\r\n",
        "Authorization: bEaReR   " + good + "\r\n", "Authorization:Bearer " + good + "  \r\n"}) {
    EXPECT_EQ(Ask(header).text(), "x") << header;
  }
  EXPECT_EQ(Ask(Bearer(WithClaims({{"sub", R"("\u00e9\u4e2d")"}}))).text(), "x");
  EXPECT_EQ(Ask(Bearer(WithClaims({{"aud", R"(["x","gateway"])"}}))).text(), "x");
  EXPECT_EQ(Ask(Bearer(WithHeader(R"({"alg":"RS256"})"))).text(), "x");
  EXPECT_EQ(Ask(Bearer(WithHeader(R"({"typ":"at+JWT","alg":"RS256","kid":"k"})"))).text(), "x");
}

TEST_F(HostileTokens, EveryMethodAndPathAsksAlike) {
  const std::string host = "Host: 127.0.0.1:" + std::to_string(gateway.port()) + "\r\n";
  for (const char* start : {"GET /mcp", "DELETE /mcp", "PUT /mcp", "PATCH /mcp", "TRACE /mcp",
                            "GET /mcp/", "GET /mcp?x", "POST /mcp", "FOO /mcp"}) {
    EXPECT_EQ(gateway.Modern().Raw(start + (" HTTP/1.1\r\n" + host) + "\r\n").status, 401) << start;
  }
  for (const char* path :
       {"//mcp", "/mcp/../mcp", "/MCP", "/mcp%2f", "/%6dcp", "/mcp/x/y", "/mcp;a"}) {
    EXPECT_EQ(
        gateway.Modern().Raw("GET " + std::string(path) + " HTTP/1.1\r\n" + host + "\r\n").status,
        404)
        << path;
  }
}

}  // namespace
}  // namespace switchyard::tests
