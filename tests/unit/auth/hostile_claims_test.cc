// Tokens that are rightly signed and must not pass for what they say.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

struct HostileClaim {
  std::string name, payload;
  Reason reason;
  std::string detail;
};

std::string Many(const std::string& raw, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + raw;
  return "[" + list + "]";
}

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

std::vector<HostileClaim> ClaimForms() {
  const std::string deep(40, '[');
  return {
      {"no payload", "", Reason::kMalformed, "no content"},
      {"a text", "hello", Reason::kMalformed, "not JSON"},
      {"an array", "[" + ClaimsText() + "]", Reason::kMalformed, "not a JSON object"},
      {"a token in a token", "eyJhbGciOiJub25lIn0.e30.", Reason::kMalformed, "not JSON"},
      {"iss twice", R"({"iss":"x",)" + ClaimsText().substr(1), Reason::kMalformed, "twice"},
      {"exp twice", R"({"exp":9000000000,)" + ClaimsText({{"exp", "1"}}).substr(1),
       Reason::kMalformed, "twice"},
      {"sub twice, once escaped", R"({"s\u0075b":"root",)" + ClaimsText().substr(1),
       Reason::kMalformed, "twice"},
      {"roles twice within a claim",
       ClaimsText({{"realm_access", R"({"roles":["user"],"roles":["admin"]})"}}),
       Reason::kMalformed, "twice"},
      {"too deep", ClaimsText({{"x", deep + std::string(40, ']')}}), Reason::kMalformed,
       "levels deep"},
      {"objects too deep",
       ClaimsText({{"x", R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":)"
                         R"({"a":{"a":{"a":1}}}}}}}}}}}}}}}})"}}),
       Reason::kMalformed, "levels deep"},
      {"bad UTF-8", ClaimsText({{"sub", "\"al\xC0\xAE\""}}), Reason::kMalformed, "UTF-8"},
      {"half a surrogate pair", ClaimsText({{"sub", R"("\udc00")"}}), Reason::kMalformed,
       "not JSON"},
      {"not a number", ClaimsText({{"exp", "NaN"}}), Reason::kMalformed, "not JSON"},
      {"infinity", ClaimsText({{"exp", "Infinity"}}), Reason::kMalformed, "not JSON"},
      {"a number with a leading zero", ClaimsText({{"exp", "01800000600"}}), Reason::kMalformed,
       "not JSON"},
      {"a hexadecimal number", ClaimsText({{"exp", "0x7fffffff"}}), Reason::kMalformed, "not JSON"},
      {"a control character in a text", ClaimsText({{"sub", "\"a\nb\""}}), Reason::kMalformed,
       "control character"},
  };
}

std::vector<HostileClaim> Parties() {
  return {
      {"no iss", ClaimsText({{"iss", ""}}), Reason::kIssuer, "iss is missing"},
      {"a number for iss", ClaimsText({{"iss", "1"}}), Reason::kIssuer, "iss is missing"},
      {"an array for iss", ClaimsText({{"iss", R"(["https://issuer.example"])"}}), Reason::kIssuer,
       "not a text"},
      {"another iss", ClaimsText({{"iss", R"("https://evil.example")"}}), Reason::kIssuer, "evil"},
      {"iss with a slash more", ClaimsText({{"iss", R"("https://issuer.example/")"}}),
       Reason::kIssuer, "example/"},
      {"iss in capitals", ClaimsText({{"iss", R"("https://ISSUER.example")"}}), Reason::kIssuer,
       "ISSUER"},
      {"iss that starts alike", ClaimsText({{"iss", R"("https://issuer.example.evil.example")"}}),
       Reason::kIssuer, "evil"},
      {"iss behind a NUL", ClaimsText({{"iss", R"("https://issuer.example\u0000")"}}),
       Reason::kIssuer, "u0000"},
      {"iss in letters that look alike", ClaimsText({{"iss", "\"https://\xD1\x96ssuer.example\""}}),
       Reason::kIssuer, "iss is"},
      {"no aud", ClaimsText({{"aud", ""}}), Reason::kAudience, "aud is missing"},
      {"aud null", ClaimsText({{"aud", "null"}}), Reason::kAudience, "neither"},
      {"an object for aud", ClaimsText({{"aud", R"({"gateway":true})"}}), Reason::kAudience,
       "neither"},
      {"another aud", ClaimsText({{"aud", R"("https://other.example/mcp")"}}), Reason::kAudience,
       "other.example"},
      {"aud of nobody", ClaimsText({{"aud", "[]"}}), Reason::kAudience, "names others: \"[]\""},
      {"aud of others", ClaimsText({{"aud", R"(["a","b"])"}}), Reason::kAudience, "names others"},
      {"aud with a number", ClaimsText({{"aud", R"(["gateway",7])"}}), Reason::kAudience,
       "not a text"},
      {"aud that starts alike", ClaimsText({{"aud", R"("https://gateway.example/mcp/admin")"}}),
       Reason::kAudience, "admin"},
      {"aud in an array in an array", ClaimsText({{"aud", R"([["gateway"]])"}}), Reason::kAudience,
       "not a text"},
      {"aud of hundreds", ClaimsText({{"aud", Many("\"gateway\"", 100)}}), Reason::kTooLarge,
       "aud has 100"},
      {"no sub", ClaimsText({{"sub", ""}}), Reason::kClaims, "sub is missing"},
      {"sub null", ClaimsText({{"sub", "null"}}), Reason::kClaims, "sub is not a text"},
      {"a number for sub", ClaimsText({{"sub", "0"}}), Reason::kClaims, "sub is not a text"},
      {"an empty sub", ClaimsText({{"sub", "\"\""}}), Reason::kClaims, "sub is empty"},
      {"a huge sub", ClaimsText({{"sub", Quoted(std::string(2000, 'a'))}}), Reason::kTooLarge,
       "sub has 2000"},
      {"a line break in sub", ClaimsText({{"sub", R"("alice\nadmin")"}}), Reason::kClaims,
       "invisible"},
      {"a NUL in sub", ClaimsText({{"sub", R"("alice\u0000")"}}), Reason::kClaims, "invisible"},
      {"an escape sequence in sub", ClaimsText({{"sub", R"("\u001b[2Jalice")"}}), Reason::kClaims,
       "invisible"},
      {"right to left in sub", ClaimsText({{"sub", R"("\u202eecila")"}}), Reason::kClaims,
       "invisible"},
      {"no width in sub", ClaimsText({{"sub", R"("ali\u200bce")"}}), Reason::kClaims, "invisible"},
      {"a tag character in sub", ClaimsText({{"sub", R"("alice\udb40\udc41")"}}), Reason::kClaims,
       "invisible"},
      {"a byte order mark in sub", ClaimsText({{"sub", R"("\ufeffalice")"}}), Reason::kClaims,
       "invisible"},
      {"an array for client_id", ClaimsText({{"client_id", "[]"}}), Reason::kClaims, "client_id"},
      {"an empty azp", ClaimsText({{"azp", "\"\""}}), Reason::kClaims, "azp is empty"},
  };
}

std::vector<HostileClaim> Times() {
  return {
      {"no exp", ClaimsText({{"exp", ""}}), Reason::kClaims, "exp is missing"},
      {"exp null", ClaimsText({{"exp", "null"}}), Reason::kClaims, "exp is not a number"},
      {"a text for exp", ClaimsText({{"exp", "\"1800000600\""}}), Reason::kClaims, "not a number"},
      {"true for exp", ClaimsText({{"exp", "true"}}), Reason::kClaims, "not a number"},
      {"an array for exp", ClaimsText({{"exp", "[1800000600]"}}), Reason::kClaims, "not a number"},
      {"exp that has passed", ClaimsText({{"exp", "1799999000"}}), Reason::kExpired, "now 1.8E9"},
      {"exp by the skew ago", ClaimsText({{"exp", "1799999970"}}), Reason::kExpired, "exp is"},
      {"exp of zero", ClaimsText({{"exp", "0"}}), Reason::kExpired, "exp is"},
      {"exp below zero", ClaimsText({{"exp", "-1"}}), Reason::kExpired, "exp is"},
      {"exp far below zero", ClaimsText({{"exp", "-1e300"}}), Reason::kExpired, "exp is"},
      {"exp next to nothing", ClaimsText({{"exp", "1e-300"}}), Reason::kExpired, "exp is"},
      {"exp of minus zero", ClaimsText({{"exp", "-0"}}), Reason::kExpired, "exp is"},
      {"nbf ahead", ClaimsText({{"nbf", "1800000031"}}), Reason::kNotYet, "nbf is"},
      {"nbf far ahead", ClaimsText({{"nbf", "1e300"}}), Reason::kNotYet, "nbf is"},
      {"a text for nbf", ClaimsText({{"nbf", "\"0\""}}), Reason::kClaims, "nbf is not a number"},
      {"nbf null", ClaimsText({{"nbf", "null"}}), Reason::kClaims, "nbf is not a number"},
      {"iat ahead", ClaimsText({{"iat", "1800000031"}}), Reason::kNotYet, "iat is"},
      {"an object for iat", ClaimsText({{"iat", "{}"}}), Reason::kClaims, "iat is not a number"},
  };
}

std::vector<HostileClaim> Rights() {
  return {
      {"a number for scope", ClaimsText({{"scope", "1"}}), Reason::kClaims, "scope is neither"},
      {"an object for scope", ClaimsText({{"scope", "{}"}}), Reason::kClaims, "scope is neither"},
      {"null for scope", ClaimsText({{"scope", "null"}}), Reason::kClaims, "scope is neither"},
      {"a number among scp", ClaimsText({{"scp", R"(["a",1])"}}), Reason::kClaims, "scp has"},
      {"a tab between scopes", ClaimsText({{"scope", R"("a\tb")"}}), Reason::kClaims,
       "what is not a scope"},
      {"a quote in a scope", ClaimsText({{"scope", R"("a\"b")"}}), Reason::kClaims, "not a scope"},
      {"a backslash in a scope", ClaimsText({{"scope", R"("a\\b")"}}), Reason::kClaims,
       "not a scope"},
      {"letters beyond ASCII in a scope", ClaimsText({{"scope", "\"\xC3\xA9\""}}), Reason::kClaims,
       "not a scope"},
      {"a space within an entry of scp", ClaimsText({{"scp", R"(["a b"])"}}), Reason::kClaims,
       "not a scope"},
      {"an empty entry of scp", ClaimsText({{"scp", R"([""])"}}), Reason::kClaims, "not a scope"},
      {"thousands of scopes", ClaimsText({{"scp", Many("\"s\"", 1500)}}), Reason::kTooLarge,
       "scp has 1500"},
      {"a number for roles", ClaimsText({{"roles", "7"}}), Reason::kClaims, "roles is not a text"},
      {"an object for roles", ClaimsText({{"roles", R"({"admin":true})"}}), Reason::kClaims,
       "roles is not a text"},
      {"a number among roles", ClaimsText({{"roles", R"(["user",0])"}}), Reason::kClaims,
       "an entry of roles"},
      {"an invisible role", ClaimsText({{"roles", R"(["user\u2060"])"}}), Reason::kClaims,
       "invisible"},
      {"thousands of roles", ClaimsText({{"roles", Many("\"r\"", 1500)}}), Reason::kTooLarge,
       "roles has 1500"},
      {"roles deeper that are wrong", ClaimsText({{"realm_access", R"({"roles":[null]})"}}),
       Reason::kClaims, "an entry of realm_access.roles"},
      {"null for groups", ClaimsText({{"groups", "null"}}), Reason::kClaims, "groups is not"},
  };
}

Verdict<Identity> Verify(const std::string& payload) {
  const Issuer& issuer = Issuer::Get();
  ClaimRules rules = issuer.rules;
  rules.roles = {"roles", "realm_access.roles"};
  rules.groups = {"groups"};
  return VerifyToken(issuer.ed.Token("EdDSA", HeaderText("EdDSA", "ed"), payload), issuer.keys,
                     rules, kNow);
}

void CheckClaims(const std::vector<HostileClaim>& rows) {
  for (const HostileClaim& row : rows) {
    ExpectRefused(Verify(row.payload), row.reason, row.detail, row.name);
  }
}

TEST(HostileClaims, ThatAreNotOneObjectAreRefused) { CheckClaims(ClaimForms()); }
TEST(HostileClaims, OfOrForSomebodyElseAreRefused) { CheckClaims(Parties()); }
TEST(HostileClaims, OfAnotherTimeAreRefused) { CheckClaims(Times()); }
TEST(HostileClaims, OfRightsThatAreNoneAreRefused) { CheckClaims(Rights()); }

TEST(HostileClaims, AreRefusedForWhatTheyAreAndNotForAFaultOfThisTest) {
  EXPECT_TRUE(Verify(ClaimsText()).has_value());
  EXPECT_GE(ClaimForms().size() + Parties().size() + Times().size() + Rights().size(), 80U);
}

}  // namespace
}  // namespace switchyard::auth
