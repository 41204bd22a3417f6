#include "policies/lib/uri_form.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::policies {
namespace {

TEST(UriForm, OrdinaryUrisArePlainAndReadAsTheyAre) {
  for (const char* uri : {"file:///srv/a", "db://main/t?q=a/b", "urn:x:1", "note",
                          "http://h:80/p#f", "x://a/b..c/..d", "mem:", "a/b"}) {
    EXPECT_TRUE(IsPlainUri(uri)) << uri;
    EXPECT_EQ(NormalUri(uri), uri);
    EXPECT_EQ(DecodedUri(uri), uri);
  }
}

TEST(UriForm, WhatNamesTheSameReadsAlike) {
  const auto reads = [](const char* uri, const char* as) {
    EXPECT_FALSE(IsPlainUri(uri)) << uri;
    EXPECT_EQ(NormalUri(uri), as);
  };
  reads("FILE:///srv/a", "file:///srv/a");
  reads("http://HOST/P", "http://host/P");
  reads("http://Me@HOST/P", "http://Me@host/P");
  reads("file:///%73ecret", "file:///secret");
  reads("file:///a%2fb%c3", "file:///a%2Fb%C3");
  reads("file:///a/../b", "file:///b");
  reads("file:///a/./b/.", "file:///a/b/");
  reads("file:///a/%2E%2e/b", "file:///b");
  reads("file:///../../b", "file:///b");
  reads("file://localhost/b", "file:///b");
  reads("a/../b", "b");
  reads("file:///a/..?x=/../y", "file:///?x=/../y");
}

TEST(UriForm, WhoDecodesFirstReadsMoreAsOne) {
  EXPECT_EQ(DecodedUri("file:///srv/..%2Fetc%2fpasswd"), "file:///etc/passwd");
  EXPECT_EQ(DecodedUri("file:///srv\\..%5cetc"), "file:///etc");
  EXPECT_EQ(DecodedUri("file:///srv//a%20b"), "file:///srv/a b");
  EXPECT_FALSE(IsPlainUri("file:///srv//a"));
  EXPECT_FALSE(IsPlainUri("file:///a b"));
  EXPECT_EQ(DecodedUri("x:///100%"), "x:///100%");
}

TEST(UriForm, GlobsKeepWhatOnlyTheyKnow) {
  EXPECT_EQ(NormalUriGlob("FILE:///%73*/../?"), "file:///s*/../?");
  EXPECT_EQ(NormalUriGlob("*/../*"), "*/../*");
  EXPECT_EQ(DecodedUriGlob("file:///a%20b/%2A%3f"), "file:///a b/%2A%3F");
}

}  // namespace
}  // namespace switchyard::policies
