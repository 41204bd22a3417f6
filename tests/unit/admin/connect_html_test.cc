#include "admin/connect_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ConnectHtml, WhatComesFromElsewhereIsText) {
  const std::string bad = R"x(<img src=x onerror="a('b')">&)x";
  const ConnectFacts facts{.server = bad,
                           .url = bad,
                           .caller = bad,
                           .caller_issuer = bad,
                           .issuer = bad,
                           .scopes = {bad}};
  for (const Page& page :
       {ConnectAskPage(facts, bad, bad), ConnectGoPage(bad), ConnectLoginPage(bad, bad, bad, bad),
        ConnectGoPage(bad, bad), ConnectDonePage(facts), ConnectProblemPage(403, bad)}) {
    EXPECT_THAT(page.body, Not(HasSubstr("<img")));
    EXPECT_THAT(page.body, Not(HasSubstr("a('b')")));
    EXPECT_THAT(page.body, HasSubstr("&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;"));
    EXPECT_THAT(page.body, HasSubstr(R"(<html lang="en">)"));
  }
}

TEST(ConnectHtml, AnAccountOfTheGatewayIsCalledThat) {
  EXPECT_THAT(ConnectAskPage({.server = "s"}, "/", "p").body, HasSubstr("the gateway itself"));
}

TEST(ConnectHtml, WhoIsWarnedOfWhatGoesByWhatIsProved) {
  const ConnectFacts facts{.server = "s", .caller = "alice", .caller_issuer = "i"};
  EXPECT_THAT(ConnectAskPage(facts, "/", "p").body, HasSubstr("only if you are alice"));
  EXPECT_THAT(ConnectAskPage(facts, "/", "p").body, HasSubstr("Whoever sent you this link"));
  ConnectFacts proven = facts;
  proven.proven = true;
  EXPECT_THAT(ConnectAskPage(proven, "/", "p").body, Not(HasSubstr("only if you are alice")));
  EXPECT_THAT(ConnectAskPage(proven, "/", "p").body, HasSubstr("asked for this yourself"));
  EXPECT_THAT(ConnectAskPage({.server = "s"}, "/", "p").body, HasSubstr("you run this gateway"));
}

TEST(ConnectHtml, CookiesAreReadByTheirWholeName) {
  EXPECT_EQ(CookieIn("a=1; b=2", "b"), "2");
  EXPECT_EQ(CookieIn("b=2", "b"), "2");
  EXPECT_EQ(CookieIn("a=1;b=2=3;c=4", "b"), "2=3");
  EXPECT_EQ(CookieIn("xb=2; bx=3; b", "b"), "");
  EXPECT_EQ(CookieIn("b=1; b=2", "b"), "") << "one of them somebody else set";
  EXPECT_EQ(CookieIn(";;; ;b=;", "b"), "");
  EXPECT_EQ(CookieIn("", "b"), "");
}

}  // namespace
}  // namespace switchyard::admin
