#include "auth/claims.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/strict_json.h"
#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Verdict<Identity> Read(const Claims& changed, const ClaimRules& rules = Issuer::Get().rules) {
  return ReadClaims(ClaimsText(changed), "", rules, kNow);
}

TEST(ClaimsOf, ATokenMayBeForSeveralOfWhichOneIsTheGateway) {
  EXPECT_TRUE(Read({{"aud", R"(["https://other.example","gateway"])"}}).has_value());
  EXPECT_TRUE(Read({{"aud", R"("gateway")"}}).has_value());
}

TEST(ClaimsOf, ARuleWithoutAudiencesTakesNothingUnlessItSaysSo) {
  ClaimRules rules = Issuer::Get().rules;
  rules.audiences.clear();
  EXPECT_FALSE(Read({}, rules).has_value());
  rules.any_audience = true;
  EXPECT_TRUE(Read({{"aud", ""}}, rules).has_value());
}

TEST(ClaimsOf, TimesAreComparedWithTheSkewAndToTheFraction) {
  // It is 1800000000, and clocks may differ by 30 s.
  EXPECT_TRUE(Read({{"exp", "1799999970.5"}}).has_value());
  EXPECT_FALSE(Read({{"exp", "1799999970"}}).has_value());
  EXPECT_FALSE(Read({{"exp", "1799999969.999"}}).has_value());
  EXPECT_TRUE(Read({{"nbf", "1800000030"}}).has_value());
  EXPECT_FALSE(Read({{"nbf", "1800000030.5"}}).has_value());
  EXPECT_TRUE(Read({{"iat", "1800000030"}}).has_value());
  EXPECT_FALSE(Read({{"iat", "1800000030.5"}}).has_value());
  EXPECT_TRUE(Read({{"iat", "-1e300"}, {"nbf", "-5"}}).has_value());
}

TEST(ClaimsOf, TheSkewIsBounded) {
  ClaimRules rules = Issuer::Get().rules;
  rules.skew = std::chrono::hours(24);
  EXPECT_FALSE(Read({{"exp", "1799999700"}}, rules).has_value());
  EXPECT_TRUE(Read({{"exp", "1799999701"}}, rules).has_value());
  rules.skew = -std::chrono::hours(24);
  EXPECT_TRUE(Read({{"exp", "1800000001"}}, rules).has_value());
  EXPECT_FALSE(Read({{"exp", "1800000000"}}, rules).has_value());
}

TEST(ClaimsOf, AnExpiryBeyondWhatAClockHoldsIsFarAway) {
  const Verdict<Identity> first = Read({{"exp", "1e300"}});
  const Verdict<Identity> second = Read({{"exp", "99999999999999999999999999"}});
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->expires, WallTime(std::chrono::seconds(9'000'000'000)));
  EXPECT_EQ(second->expires, first->expires);
  EXPECT_EQ(Read({{"exp", "1800000600.9"}})->expires, kNow + std::chrono::seconds(600));
}

TEST(ClaimsOf, TheClientIsTheFirstClaimThatNamesOne) {
  EXPECT_EQ(Read({})->client, "");
  EXPECT_EQ(Read({{"azp", R"("web")"}})->client, "web");
  EXPECT_EQ(Read({{"azp", R"("web")"}, {"client_id", R"("cli")"}})->client, "cli");
}

TEST(ClaimsOf, ScopesComeInEitherForm) {
  EXPECT_THAT(Read({})->scopes, IsEmpty());
  EXPECT_THAT(Read({{"scope", R"("")"}})->scopes, IsEmpty());
  EXPECT_THAT(Read({{"scope", R"("read  write read ")"}})->scopes, ElementsAre("read", "write"));
  EXPECT_THAT(Read({{"scp", R"(["mcp:tools","api://x/y.z"])"}})->scopes,
              ElementsAre("mcp:tools", "api://x/y.z"));
  EXPECT_THAT(Read({{"scp", R"("a b")"}})->scopes, ElementsAre("a", "b"));
  EXPECT_THAT(Read({{"scope", R"("a")"}, {"scp", R"("b")"}})->scopes, ElementsAre("a"));
}

TEST(ClaimsOf, RolesAndGroupsAreWhereTheRulesSay) {
  ClaimRules rules = Issuer::Get().rules;
  rules.roles = {"realm_access.roles", "https://example.com/roles", "resource.gate.way.roles",
                 "absent.roles"};
  rules.groups = {"groups"};
  const Verdict<Identity> identity = Read({{"realm_access", R"({"roles":["admin","user"]})"},
                                           {"https://example.com/roles", R"("auditor")"},
                                           {"resource", R"({"gate.way":{"roles":["user","ops"]}})"},
                                           {"groups", R"(["/staff","\u00e9quipe"])"}},
                                          rules);
  ASSERT_TRUE(identity.has_value()) << identity.error().detail;
  EXPECT_THAT(identity->roles, ElementsAre("admin", "user", "auditor", "ops"));
  EXPECT_THAT(identity->groups, ElementsAre("/staff", "\xC3\xA9quipe"));
  EXPECT_THAT(Read({}, rules)->roles, IsEmpty());
}

TEST(ClaimsOf, AClaimWhoseNameHasDotsComesBeforeWhatTheDotsMean) {
  ClaimRules rules = Issuer::Get().rules;
  rules.roles = {"a.b"};
  EXPECT_THAT(Read({{"a", R"({"b":"inner"})"}, {"a.b", R"("outer")"}}, rules)->roles,
              ElementsAre("outer"));
  EXPECT_THAT(Read({{"a", R"({"b":"inner"})"}}, rules)->roles, ElementsAre("inner"));
  EXPECT_THAT(Read({{"a", R"("text")"}}, rules)->roles, IsEmpty());
}

TEST(ClaimsOf, TheSubjectMayBeAnotherClaim) {
  ClaimRules rules = Issuer::Get().rules;
  rules.subject = "email";
  EXPECT_EQ(Read({{"email", R"("a@example.com")"}}, rules)->subject, "a@example.com");
  EXPECT_FALSE(Read({}, rules).has_value());
}

TEST(ClaimsOf, NamesOfAllScriptsPass) {
  EXPECT_EQ(Read({{"sub", "\"\xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0 \xE5\xB1\xB1 \xF0\x9F\x98\x80\""}})
                ->subject,
            "\xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0 \xE5\xB1\xB1 \xF0\x9F\x98\x80");
}

TEST(StrictJson, CountsMembersAtEveryDepthAndInEverySpelling) {
  EXPECT_TRUE(ReadObject(R"({"a":{"a":[{"a":":"},{"a":"\":\""}]},"b":{}})").has_value());
  for (const char* text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})",
                           R"({"x":[[{"a":{},"a":{}}]]})", R"({"":1,"":2})"}) {
    const auto object = ReadObject(text);
    ASSERT_FALSE(object.has_value()) << text;
    EXPECT_EQ(object.error(), "a member stands there twice") << text;
  }
}

}  // namespace
}  // namespace switchyard::auth
