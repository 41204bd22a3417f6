#include "credentials/oauth/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::credentials::oauth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kResourceUrl = "https://s.example/mcp";
constexpr std::string_view kIssuer = "https://as.example/tenant";

std::string Resource(const std::string& resource = "https://s.example/mcp",
                     const std::string& servers = R"("https://as.example")") {
  return R"({"resource":")" + resource + R"(","authorization_servers":[)" + servers + "]}";
}

std::string Server(const std::string& more = "") {
  return R"({"issuer":"https://as.example/tenant","token_endpoint":"https://as.example/token")" +
         more + "}";
}

TEST(ResourceMetadata, IsLookedForWithThePathAndAtTheRoot) {
  EXPECT_THAT(ResourceMetadataUrls(kResourceUrl),
              ElementsAre("https://s.example/.well-known/oauth-protected-resource/mcp",
                          "https://s.example/.well-known/oauth-protected-resource"));
  EXPECT_THAT(ResourceMetadataUrls("https://s.example/"),
              ElementsAre("https://s.example/.well-known/oauth-protected-resource"));
}

TEST(ServerMetadata, IsLookedForInTheOrderOfTheSpecification) {
  EXPECT_THAT(ServerMetadataUrls(kIssuer),
              ElementsAre("https://as.example/.well-known/oauth-authorization-server/tenant",
                          "https://as.example/.well-known/openid-configuration/tenant",
                          "https://as.example/tenant/.well-known/openid-configuration"));
  EXPECT_THAT(ServerMetadataUrls("https://as.example"),
              ElementsAre("https://as.example/.well-known/oauth-authorization-server",
                          "https://as.example/.well-known/openid-configuration"));
  EXPECT_TRUE(ServerMetadataUrls("http://as.example").empty());
}

TEST(ResourceMetadata, SpeaksForTheServerThatWasAsked) {
  EXPECT_TRUE(ReadResourceMetadata(Resource(), kResourceUrl));
  EXPECT_TRUE(ReadResourceMetadata(Resource("https://s.example"), kResourceUrl));
  for (const char* other : {"https://bank.example/mcp", "https://s.example/other", "", "x"}) {
    const auto read = ReadResourceMetadata(Resource(other), kResourceUrl);
    ASSERT_FALSE(read) << other;
    EXPECT_THAT(read.error().message, HasSubstr("not this server"));
  }
}

TEST(ResourceMetadata, NamesSomebodyWhoCanBeAsked) {
  EXPECT_FALSE(ReadResourceMetadata(Resource("https://s.example/mcp", ""), kResourceUrl));
  const auto read = ReadResourceMetadata(
      Resource("https://s.example/mcp", R"("http://as.example", 7, "https://b.example")"),
      kResourceUrl);
  EXPECT_THAT(read.value().authorization_servers, ElementsAre("https://b.example"));
}

TEST(ServerMetadata, IsThatOfTheIssuerToTheLetter) {
  EXPECT_TRUE(ReadServerMetadata(Server(), kIssuer));
  EXPECT_FALSE(ReadServerMetadata(Server(), "https://as.example/tenant/"));
  EXPECT_FALSE(ReadServerMetadata(Server(), "https://AS.example/tenant"));
  EXPECT_FALSE(ReadServerMetadata("{}", kIssuer));
}

TEST(ServerMetadata, NothingInItStandsTwice) {
  EXPECT_FALSE(
      ReadServerMetadata(Server(R"(,"token_endpoint":"https://evil.example/t")"), kIssuer));
  EXPECT_FALSE(
      ReadServerMetadata(Server(R"(,"token_\u0065ndpoint":"https://e.example")"), kIssuer));
}

TEST(ServerMetadata, SendsNobodyOverHttpOrElsewhere) {
  for (const char* bad :
       {"http://as.example/a", "javascript:alert(1)", "https://a@b/", "file:///x"}) {
    const std::string more = R"(,"authorization_endpoint":")" + std::string(bad) + "\"";
    EXPECT_FALSE(ReadServerMetadata(Server(more), kIssuer)) << bad;
  }
  EXPECT_TRUE(
      ReadServerMetadata(Server(R"(,"authorization_endpoint":"http://localhost/a")"), kIssuer));
  EXPECT_FALSE(ReadServerMetadata(R"({"issuer":"https://as.example/tenant"})", kIssuer));
}

TEST(ServerMetadata, SaysWhatTheServerCan) {
  const ServerMetadata all =
      ReadServerMetadata(Server(R"(,"code_challenge_methods_supported":["plain","S256"],
          "token_endpoint_auth_methods_supported":["none"],
          "client_id_metadata_document_supported":true,
          "authorization_response_iss_parameter_supported":true)"),
                         kIssuer)
          .value();
  EXPECT_TRUE(all.has_pkce() && all.client_id_documents && all.says_issuer);
  EXPECT_TRUE(all.Offers("none"));
  EXPECT_FALSE(all.Offers("client_secret_basic"));
  const ServerMetadata bare = ReadServerMetadata(Server(), kIssuer).value();
  EXPECT_FALSE(bare.has_pkce());
  EXPECT_TRUE(bare.Offers("client_secret_basic"));
  EXPECT_FALSE(bare.Offers("none"));
}

TEST(ServerMetadata, TheDefaultsOf20250326AreAtTheOrigin) {
  const auto defaults = DefaultEndpoints(kResourceUrl);
  ASSERT_TRUE(defaults);
  EXPECT_EQ(defaults->token_endpoint, "https://s.example/token");
  EXPECT_EQ(defaults->authorization_endpoint, "https://s.example/authorize");
  EXPECT_FALSE(DefaultEndpoints("http://s.example/mcp"));
}

}  // namespace
}  // namespace switchyard::credentials::oauth
