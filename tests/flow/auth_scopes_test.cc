// Which scopes a client is asked for where several servers may serve its call.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

TEST(AuthScopes, OfAGroupAllThatItsMembersNeedAreNamedAtOnce) {
  FakeServer a = FakeServer::Modern("a"), b = FakeServer::Modern("b");
  TokenIssuer issuer;
  Gateway gateway;
  const auto with = [](const std::string& scope) {
    return "policies: {authorize: {rules: [{effect: allow, who: {scope: " + scope +
           "}, what: {tool: echo}}]}}";
  };
  gateway.Serves("a", a, with("red"))
      .Serves("b", b, with("blue"))
      .With("groups", "{g: {servers: [{server: a}, {server: b}]}}")
      .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") + "], scopes: [use]}")
      // So that it is not hidden from those who lack the scopes.
      .With("policies", R"({authorize: {rules: [
        {effect: allow, what: {tool: echo}, when: {arguments: [{at: /text, glob: "mild*"}]}}]}})")
      .Start();
  const auto call = [&](const std::string& scopes) {
    const std::string token = issuer.Token("alice", {{"scope", "\"" + scopes + "\""}});
    return ModernClient(gateway.port(), "/mcp", token).Call("g__echo", R"({"text":"hot"})");
  };
  const Answer none = call("use");
  EXPECT_EQ(none.status, 403) << none;
  EXPECT_THAT(none.headers.at("www-authenticate"), HasSubstr(R"(scope="use red blue")"));
  const Answer half = call("use red");
  EXPECT_EQ(half.status, 403) << half;
  EXPECT_THAT(half.headers.at("www-authenticate"), HasSubstr(R"(scope="use blue")"));
  EXPECT_EQ(call("use red blue").text(), "hot");
}

}  // namespace
}  // namespace switchyard::tests
