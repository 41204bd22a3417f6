#include "auth/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Metadata, IsFoundByTheNameOfTheIssuer) {
  EXPECT_THAT(MetadataUrls("https://i.example"),
              ElementsAre("https://i.example/.well-known/openid-configuration",
                          "https://i.example/.well-known/oauth-authorization-server"));
  EXPECT_THAT(MetadataUrls("https://i.example/"),
              ElementsAre("https://i.example/.well-known/openid-configuration",
                          "https://i.example/.well-known/oauth-authorization-server"));
  EXPECT_THAT(MetadataUrls("https://i.example:8443/t/1"),
              ElementsAre("https://i.example:8443/t/1/.well-known/openid-configuration",
                          "https://i.example:8443/.well-known/oauth-authorization-server/t/1",
                          "https://i.example:8443/.well-known/openid-configuration/t/1"));
  for (const char* bad : {"", "i", "urn:i", "https://i/?a", "https://i/#a", "https://u@i/"}) {
    EXPECT_THAT(MetadataUrls(bad), IsEmpty()) << bad;
  }
}

TEST(Metadata, SpeaksForItsOwnIssuerAlone) {
  const auto keys = KeysUrlIn(R"({"issuer":"https://i","jwks_uri":"https://k"})", "https://i");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(*keys, "https://k");
  for (const char* bad :
       {"", "{}", "[]", "not json", R"({"issuer":"https://i"})", R"({"jwks_uri":"https://k"})",
        R"({"issuer":"https://i/","jwks_uri":"https://k"})",
        R"({"issuer":"https://evil","jwks_uri":"https://k"})",
        R"({"issuer":"https://i","jwks_uri":7})", R"({"issuer":"https://i","jwks_uri":""})",
        R"({"issuer":"https://evil","issuer":"https://i","jwks_uri":"https://k"})",
        R"({"issuer":"https://i","jwks_uri":"https://k","jwks_uri":"https://e"})"}) {
    EXPECT_FALSE(KeysUrlIn(bad, "https://i")) << bad;
  }
  EXPECT_FALSE(KeysUrlIn(std::string(kMaxMetadata + 1, ' '), "https://i"));
}

}  // namespace
}  // namespace switchyard::auth
