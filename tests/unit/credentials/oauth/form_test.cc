#include "credentials/oauth/form.h"

#include <gtest/gtest.h>

#include "credentials/oauth/url.h"

namespace switchyard::credentials::oauth {
namespace {

TEST(Url, IsReadIntoItsParts) {
  const auto url = ParseUrl("HTTPS://As.Example:443/a/b?c=d");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin(), "https://as.example");
  EXPECT_EQ(url->origin() + url->target, "https://as.example/a/b?c=d");
  EXPECT_TRUE(IsSecure(*url));
  EXPECT_EQ(ParseUrl("http://h:8080")->origin(), "http://h:8080");
}

TEST(Url, WhatHasNoPlaceInOneIsRefused) {
  for (const char* bad : {"", "h.example", "ftp://h/", "https://user@h/", "https://h/#f",
                          "https:///x", "https://h h/", "javascript:alert(1)", "https://"}) {
    EXPECT_FALSE(ParseUrl(bad)) << bad;
  }
  EXPECT_FALSE(ParseUrl("https://h/" + std::string(3000, 'x')));
}

TEST(Url, OnlyThisMachineNeedsNoTls) {
  EXPECT_TRUE(IsSecure(*ParseUrl("http://localhost:1/")));
  EXPECT_TRUE(IsSecure(*ParseUrl("http://127.0.0.1:1/")));
  EXPECT_TRUE(IsSecure(*ParseUrl("http://[::1]:1/")));
  EXPECT_FALSE(ParseUrl("http://127.0.0.1.evil.example/")) << "whoever that is";
  EXPECT_FALSE(IsSecure(*ParseUrl("http://10.0.0.1/")));
}

TEST(Url, AResourceSpeaksForWhatIsBelowIt) {
  EXPECT_TRUE(ResourceCovers("https://s.example", "https://s.example/mcp"));
  EXPECT_TRUE(ResourceCovers("https://s.example/mcp", "https://S.example:443/mcp"));
  EXPECT_TRUE(ResourceCovers("https://s.example/mcp/", "https://s.example/mcp/x"));
  EXPECT_FALSE(ResourceCovers("https://s.example/mcp", "https://s.example/mcp2"));
  EXPECT_FALSE(ResourceCovers("https://s.example/mcp", "https://s.example/"));
  EXPECT_FALSE(ResourceCovers("https://t.example", "https://s.example/mcp"));
  EXPECT_FALSE(ResourceCovers("http://s.example", "https://s.example/mcp"));
  EXPECT_FALSE(ResourceCovers("", "https://s.example/mcp"));
}

TEST(Url, TheResourceOfAServerIsItsUrlWithoutAQuery) {
  EXPECT_EQ(CanonicalResource("HTTPS://S.example/mcp?key=secret"), "https://s.example/mcp");
  EXPECT_EQ(CanonicalResource("https://s.example/"), "https://s.example");
}

TEST(Form, SurvivesWhatIsInIt) {
  const Fields fields{{"a b", "c&d=e"}, {"ü", "%"}, {"", ""}};
  EXPECT_EQ(ReadForm(ToForm(fields)), fields);
  EXPECT_EQ(ToForm({{"scope", "a b"}}), "scope=a%20b");
}

TEST(Form, OneNameStandsOnce) {
  EXPECT_FALSE(ReadForm("code=1&code=2"));
  EXPECT_FALSE(ReadForm("code=1&c%6Fde=2"));
  EXPECT_FALSE(ReadForm("a=%4"));
  EXPECT_FALSE(ReadForm("a=%zz"));
  EXPECT_TRUE(ReadForm("&&a&b=")->size() == 2);
}

// RFC 6749 section 2.3.1: encoded before they are joined, else a colon would move the border.
TEST(Form, BasicCredentialsAreEncodedFirst) {
  EXPECT_EQ(BasicCredentials("s6BhdRkqt3", "gX1fBat3bV"), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
  EXPECT_EQ(BasicCredentials("a:b", "c"), "Basic YSUzQWI6Yw==");
}

}  // namespace
}  // namespace switchyard::credentials::oauth
