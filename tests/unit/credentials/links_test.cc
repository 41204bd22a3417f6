#include "credentials/links.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::credentials {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;

class LinksTest : public testing::Test {
 protected:
  LinksTest() { links_.SetBase("https://g.example"); }
  std::string TokenOf(const std::string& url) const { return url.substr(url.rfind('/') + 1); }

  ManualClock clock_;
  Links links_{clock_};
  const Whose alice_{.issuer = "i", .subject = "alice"}, bob_{.issuer = "i", .subject = "bob"};
};

TEST_F(LinksTest, OneIsOpenForEachCallerAndServer) {
  const std::string url = links_.UrlFor("s", alice_, {"a"});
  EXPECT_TRUE(url.starts_with("https://g.example/connect/")) << url;
  EXPECT_EQ(links_.UrlFor("s", alice_, {"b"}), url);
  EXPECT_THAT(links_.Find(TokenOf(url))->scopes, ElementsAre("a", "b"));
  const std::set<std::string> others = {
      url, links_.UrlFor("s", bob_, {}), links_.UrlFor("t", alice_, {}),
      links_.UrlFor("s", {.issuer = "j", .subject = "alice"}, {}), links_.UrlFor("s", {}, {})};
  EXPECT_EQ(others.size(), 5U);
}

TEST_F(LinksTest, ItEndsUnlessItIsAskedForAgainAndThenAllTheSame) {
  const std::string url = links_.UrlFor("s", alice_, {});
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(minutes(11));
    EXPECT_EQ(links_.UrlFor("s", alice_, {}), url) << i;
  }
  clock_.Advance(minutes(6));
  EXPECT_EQ(links_.Find(TokenOf(url)), nullptr);
  const std::string next = links_.UrlFor("s", alice_, {});
  EXPECT_NE(next, url);
  clock_.Advance(Links::kLife);
  EXPECT_EQ(links_.Find(TokenOf(next)), nullptr);
  EXPECT_EQ(links_.size(), 0U);
}

TEST_F(LinksTest, WhatIsDroppedIsOver) {
  const std::string url = links_.UrlFor("s", alice_, {});
  links_.Find(TokenOf(url))->attempt = oauth::Attempt{.state = "state"};
  EXPECT_EQ(links_.ByState("state")->token, TokenOf(url));
  EXPECT_EQ(links_.ByState(""), nullptr);
  links_.DropOf("s", bob_);
  EXPECT_NE(links_.ByState("state"), nullptr);
  links_.DropOf("s", alice_);
  EXPECT_EQ(links_.ByState("state"), nullptr);
  EXPECT_NE(links_.UrlFor("s", alice_, {}), url);
}

TEST_F(LinksTest, ThereAreNoMoreThanSoMany) {
  const std::string first = links_.UrlFor("s", alice_, {});
  clock_.Advance(minutes(1));
  for (std::size_t i = 0; i < Links::kMost; ++i) {
    links_.UrlFor("s", {.issuer = "i", .subject = std::to_string(i)}, {});
  }
  EXPECT_EQ(links_.size(), Links::kMost);
  EXPECT_EQ(links_.Find(TokenOf(first)), nullptr) << "the oldest goes";
  clock_.Advance(minutes(15));
  links_.UrlFor("s", alice_, {});
  EXPECT_EQ(links_.size(), 1U);
}

}  // namespace
}  // namespace switchyard::credentials
