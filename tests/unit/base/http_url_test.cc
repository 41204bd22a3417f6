#include <gtest/gtest.h>

#include "base/http/url.h"

namespace switchyard::http {
namespace {

TEST(HttpUrl, ReadsWhereAServerIs) {
  const auto plain = Url::Parse("http://Host.example:8080/mcp?a=b");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "host.example");
  EXPECT_EQ(plain->port, "8080");
  EXPECT_EQ(plain->authority, "host.example:8080");
  EXPECT_EQ(plain->target, "/mcp?a=b");
  EXPECT_EQ(plain->path(), "/mcp");
  const auto bare = Url::Parse("https://[::1]");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->tls);
  EXPECT_EQ(bare->host, "::1");
  EXPECT_EQ(bare->port, "443");
  EXPECT_EQ(bare->authority, "[::1]");
  EXPECT_EQ(bare->target, "/");
}

TEST(HttpUrl, RefusesWhatItCannotSpeakTo) {
  for (const char* bad :
       {"", "/mcp", "ftp://a/", "http://", "http://u:p@a/", "http://a b/", "http://a:://b"}) {
    EXPECT_FALSE(Url::Parse(bad)) << bad;
  }
}

TEST(HttpUrl, ResolvesLocations) {
  const Url base = *Url::Parse("http://a:1/x/mcp");
  EXPECT_EQ(base.Resolve("/mcp/")->target, "/mcp/");
  EXPECT_EQ(base.Resolve("other?q")->target, "/x/other?q");
  EXPECT_TRUE(base.SameOrigin(*base.Resolve("//a:1/y")));
  EXPECT_FALSE(base.SameOrigin(*base.Resolve("http://a:2/x")));
  EXPECT_FALSE(base.SameOrigin(*base.Resolve("https://a:1/x")));
  EXPECT_FALSE(base.SameOrigin(*base.Resolve("http://b:1/x")));
  EXPECT_FALSE(base.Resolve("javascript:alert(1)"));
  EXPECT_FALSE(base.Resolve("http://u@a:1/"));
}

}  // namespace
}  // namespace switchyard::http
