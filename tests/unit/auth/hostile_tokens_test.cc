// Tokens that must not pass, and why they do not. Those of claims are in hostile_claims_test.cc.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

struct HostileToken {
  std::string name, token;
  Reason reason;
  std::string detail;
};

const Issuer& Trusted() { return Issuer::Get(); }

// Rightly signed by the Ed25519 key, under any header.
std::string Ed(const std::string& header, const std::string& payload = ClaimsText()) {
  return Trusted().ed.Token("EdDSA", header, payload);
}
std::string Good() { return Ed(HeaderText("EdDSA", "ed")); }

std::string Head(const std::string& token) { return token.substr(0, token.find('.')); }
std::string Body(const std::string& token) {
  const std::size_t first = token.find('.') + 1;
  return token.substr(first, token.rfind('.') - first);
}
std::string Tail(const std::string& token) { return token.substr(token.rfind('.') + 1); }
// The good token with another signature.
std::string WithTail(const std::string& tail) {
  return Head(Good()) + "." + Body(Good()) + "." + tail;
}
// With another header than was signed.
std::string Swapped(const std::string& header) {
  return EncodeBase64Url(header) + "." + Body(Good()) + "." + Tail(Good());
}

std::vector<HostileToken> TokenForms() {
  const std::string good = Good();
  const std::string dead(kMaxToken, 'A');
  return {
      {"nothing", "", Reason::kMalformed, "three parts"},
      {"a word", "token", Reason::kMalformed, "three parts"},
      {"two parts", Head(good) + "." + Body(good), Reason::kMalformed, "three parts"},
      {"dots alone", "..", Reason::kMalformed, "header"},
      {"four parts", good + ".AAAA", Reason::kMalformed, "more than three"},
      {"an encrypted token", good + ".AAAA.AAAA", Reason::kMalformed, "encrypted"},
      {"many dots", std::string(10'000, '.'), Reason::kMalformed, "more than three"},
      {"no header", "." + Body(good) + "." + Tail(good), Reason::kMalformed, "the header"},
      {"padding in the header", Head(good) + "=." + Body(good) + "." + Tail(good),
       Reason::kMalformed, "the header is not base64url"},
      {"padding in the payload", Head(good) + "." + Body(good) + "=." + Tail(good),
       Reason::kMalformed, "the payload is not base64url"},
      {"padding in the signature", good + "==", Reason::kMalformed, "the signature is not"},
      {"a space before", " " + good, Reason::kMalformed, "the header is not base64url"},
      {"a space behind", good + " ", Reason::kMalformed, "the signature is not"},
      {"a line break within", Head(good) + ".\n" + Body(good) + "." + Tail(good),
       Reason::kMalformed, "the payload is not"},
      {"a NUL behind", good + std::string(1, '\0'), Reason::kMalformed, "the signature is not"},
      {"Bearer before", "Bearer " + good, Reason::kMalformed, "the header is not base64url"},
      {"quotes around", "\"" + good + "\"", Reason::kMalformed, "the header is not base64url"},
      {"the ordinary base64 alphabet", Head(good) + "." + Body(good) + "." + std::string(84, '+'),
       Reason::kMalformed, "the signature is not"},
      {"left-over bits in the signature", WithTail(std::string(85, 'A') + "B"), Reason::kMalformed,
       "the signature is not"},
      {"a part of a length that base64 has not", Head(good) + "." + Body(good) + ".AAAAA",
       Reason::kMalformed, "the signature is not"},
      {"one byte too many", good + "." + dead, Reason::kTooLarge, "at most 16384"},
      {"megabytes", std::string(8 << 20, 'e'), Reason::kTooLarge, "at most 16384"},
      {"a huge header", Ed(HeaderText("EdDSA", "ed", "\"x\":\"" + std::string(3000, 'x') + "\"")),
       Reason::kTooLarge, "the header has"},
      {"a huge kid", Ed(HeaderText("EdDSA", std::string(600, 'k'))), Reason::kTooLarge,
       "kid in the header"},
      {"JSON instead of the compact form", R"({"payload":"e30","signatures":[]})",
       Reason::kMalformed, "three parts"},
  };
}

std::vector<HostileToken> Headers() {
  const auto deep = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  const std::string own = Trusted().other_ed.Jwk();
  return {
      {"a header that is no JSON", Ed("alg=EdDSA"), Reason::kMalformed, "the header"},
      {"an array", Ed(R"(["EdDSA"])"), Reason::kMalformed, "not a JSON object"},
      {"null", Ed("null"), Reason::kMalformed, "not a JSON object"},
      {"an open brace", Ed(R"({"alg":"EdDSA")"), Reason::kMalformed, "not JSON"},
      {"something behind the object", Ed(R"({"alg":"EdDSA"}{})"), Reason::kMalformed, "not JSON"},
      {"a comment", Ed(R"({"alg":"EdDSA"/**/})"), Reason::kMalformed, "not JSON"},
      {"a trailing comma", Ed(R"({"alg":"EdDSA",})"), Reason::kMalformed, "not JSON"},
      {"single quotes", Ed("{'alg':'EdDSA'}"), Reason::kMalformed, "not JSON"},
      {"a byte order mark", Ed("\xEF\xBB\xBF{\"alg\":\"EdDSA\"}"), Reason::kMalformed, "not JSON"},
      {"bad UTF-8", Ed("{\"alg\":\"EdDSA\",\"kid\":\"\xFF\"}"), Reason::kMalformed, "UTF-8"},
      {"UTF-16", Ed(std::string("{\0\"\0a\0", 6)), Reason::kMalformed, "the header"},
      {"half a surrogate pair", Ed(R"({"alg":"EdDSA","kid":"\ud800"})"), Reason::kMalformed,
       "not JSON"},
      {"alg twice", Ed(R"({"alg":"none","alg":"EdDSA","kid":"ed"})"), Reason::kMalformed, "twice"},
      {"alg twice, one of them escaped", Ed(R"({"alg":"EdDSA","\u0061lg":"none","kid":"ed"})"),
       Reason::kMalformed, "twice"},
      {"kid twice", Ed(R"({"alg":"EdDSA","kid":"ed","kid":"ed"})"), Reason::kMalformed, "twice"},
      {"a member twice within another", Ed(HeaderText("EdDSA", "ed", R"("x":{"a":1,"a":1})")),
       Reason::kMalformed, "twice"},
      {"too deep", Ed(HeaderText("EdDSA", "ed", "\"x\":" + deep(20))), Reason::kMalformed,
       "levels deep"},
      {"very deep", Ed(HeaderText("EdDSA", "ed", "\"x\":" + deep(900))), Reason::kMalformed,
       "levels deep"},
      {"crit", Ed(HeaderText("EdDSA", "ed", R"("crit":["exp"])")), Reason::kHeader, "crit"},
      {"crit of nothing", Ed(HeaderText("EdDSA", "ed", R"("crit":[])")), Reason::kHeader, "crit"},
      {"crit null", Ed(HeaderText("EdDSA", "ed", R"("crit":null)")), Reason::kHeader, "crit"},
      {"crit, escaped", Ed(HeaderText("EdDSA", "ed", R"("cri\u0074":["b64"])")), Reason::kHeader,
       "crit"},
      {"b64 false", Ed(HeaderText("EdDSA", "ed", R"("b64":false,"crit":["b64"])")), Reason::kHeader,
       "crit"},
      {"b64 alone", Ed(HeaderText("EdDSA", "ed", R"("b64":false)")), Reason::kHeader, "b64"},
      {"b64 true", Ed(HeaderText("EdDSA", "ed", R"("b64":true)")), Reason::kHeader, "b64"},
      {"zip", Ed(HeaderText("EdDSA", "ed", R"("zip":"DEF")")), Reason::kHeader, "zip"},
      {"enc", Ed(HeaderText("EdDSA", "ed", R"("enc":"A256GCM")")), Reason::kHeader, "enc"},
      {"a number for kid", Ed(R"({"alg":"EdDSA","kid":7})"), Reason::kHeader, "kid"},
      {"null for kid", Ed(R"({"alg":"EdDSA","kid":null})"), Reason::kHeader, "kid"},
      {"an empty kid", Ed(R"({"alg":"EdDSA","kid":""})"), Reason::kHeader, "kid"},
      {"an array for typ", Ed(HeaderText("EdDSA", "ed", R"("typ":["JWT"])")), Reason::kHeader,
       "typ"},
      {"a key that it brings along",
       Trusted().other_ed.Token("EdDSA", R"({"alg":"EdDSA","jwk":)" + own + "}", ClaimsText()),
       Reason::kSignature, "does not fit"},
      {"a key under a URL of its own",
       Trusted().other_ed.Token("EdDSA",
                                HeaderText("EdDSA", "ed", R"("jku":"https://evil.example/keys")"),
                                ClaimsText()),
       Reason::kSignature, "does not fit"},
      {"a certificate that it brings along",
       Trusted().other_rsa.Token("RS256", HeaderText("RS256", "rsa", R"("x5c":["MIIB"])"),
                                 ClaimsText()),
       Reason::kSignature, "does not fit"},
      {"a logout token", Ed(HeaderText("EdDSA", "ed", R"("typ":"logout+jwt")")), Reason::kType,
       "logout+jwt"},
      {"a DPoP proof", Ed(HeaderText("EdDSA", "ed", R"("typ":"dpop+jwt")")), Reason::kType, "dpop"},
      {"an identity assertion grant", Ed(HeaderText("EdDSA", "ed", R"("typ":"oauth-id-jag+jwt")")),
       Reason::kType, "id-jag"},
  };
}

std::vector<HostileToken> Algorithms() {
  std::vector<HostileToken> rows{
      {"no alg", Ed(R"({"kid":"ed"})"), Reason::kAlgorithm, "no alg"},
      {"a number for alg", Ed(R"({"alg":1})"), Reason::kAlgorithm, "no alg"},
      {"null for alg", Ed(R"({"alg":null})"), Reason::kAlgorithm, "no alg"},
      {"an array of algs", Ed(R"({"alg":["EdDSA"]})"), Reason::kAlgorithm, "no alg"},
      {"alg in capitals", Ed(R"({"ALG":"EdDSA"})"), Reason::kAlgorithm, "no alg"},
      {"alg behind a NUL", Ed("{\"alg\":\"EdDSA\\u0000\"}"), Reason::kAlgorithm, "unknown"},
      {"none, signed", Ed(HeaderText("none", "ed")), Reason::kAlgorithm, "unknown"},
      {"none, unsigned", EncodeBase64Url(R"({"alg":"none"})") + "." + Body(Good()) + ".",
       Reason::kAlgorithm, "unknown"},
      {"RS256 by an Ed25519 key", Ed(HeaderText("RS256", "ed")), Reason::kWrongKey,
       "is for EdDSA, not for RS256"},
      {"HS256 by an RSA key", Ed(HeaderText("HS256", "rsa")), Reason::kWrongKey, "not for HS256"},
      {"PS256 by a key that is for RS256",
       Trusted().other_rsa.Token("PS256", HeaderText("PS256", "rs256"), ClaimsText()),
       Reason::kWrongKey, "is for RS256, not for PS256"},
      {"RS512 by a key that is for RS256",
       Trusted().other_rsa.Token("RS512", HeaderText("RS512", "rs256"), ClaimsText()),
       Reason::kWrongKey, "is for RS256"},
      {"HS512 by a secret that is for HS256",
       Trusted().weak.Token("HS512", HeaderText("HS512", "hs256"), ClaimsText()), Reason::kWrongKey,
       "is for HS256"},
      {"ES384 by a key on P-256",
       Trusted().p256.Token("ES384", HeaderText("ES384", "p256"), ClaimsText()), Reason::kWrongKey,
       "is for ES256"},
      {"a key that nobody has", Ed(HeaderText("EdDSA", "../../etc/passwd")), Reason::kUnknownKey,
       R"("../../etc/passwd")"},
      {"a kid to inject with", Ed(HeaderText("EdDSA", "x' OR 1=1 --")), Reason::kUnknownKey, "OR"},
      {"a kid of almost the same letters",
       Ed(HeaderText("EdDSA",
                     "\xD0\xB5"
                     "d")),
       Reason::kUnknownKey, "no key named"},
      {"a kid in capitals", Ed(HeaderText("EdDSA", "ED")), Reason::kUnknownKey, "no key named"},
      {"no kid, and two keys that fit",
       Trusted().rsa.Token("RS256", R"({"alg":"RS256"})", ClaimsText()), Reason::kWrongKey,
       "several keys"},
  };
  for (const char* name : {"None",
                           "NONE",
                           "nOnE",
                           "RSA1_5",
                           "RSA-OAEP",
                           "dir",
                           "A128KW",
                           "ES256K",
                           "Ed448",
                           "HS1",
                           "RS1",
                           "MD5",
                           "hs256",
                           "rs256",
                           "eddsa",
                           "ES257",
                           " EdDSA",
                           "EdDSA ",
                           "PBES2-HS256+A128KW",
                           ""}) {
    rows.push_back({std::string("alg ") + name, Ed(HeaderText(name, "ed")), Reason::kAlgorithm,
                    "unknown algorithm"});
  }
  return rows;
}

std::vector<HostileToken> Signatures() {
  const Issuer& issuer = Trusted();
  const std::string es = EncodeBase64Url(HeaderText("ES256", "p256")) + "." + Body(Good());
  const std::string raw = issuer.p256.Sign("ES256", es);
  const std::string r = raw.substr(0, 32), s = raw.substr(32);
  const std::string ps = EncodeBase64Url(HeaderText("PS256", "rsa")) + "." + Body(Good());
  const std::string rs = EncodeBase64Url(HeaderText("RS256", "rsa")) + "." + Body(Good());
  const std::string hs = EncodeBase64Url(HeaderText("HS256", "hs")) + "." + Body(Good());
  const std::string mac = issuer.secret.Sign("HS256", hs);
  const std::string zero(32, '\0'), full(32, '\xFF');
  const auto row = [](std::string name, const std::string& text, const std::string& signature) {
    return HostileToken{std::move(name), text + "." + EncodeBase64Url(signature),
                        Reason::kSignature, "does not fit"};
  };
  return {
      {"no signature", WithTail(""), Reason::kSignature, "no signature"},
      {"a good header, another payload",
       Head(Good()) + "." + EncodeBase64Url(ClaimsText({{"sub", "\"root\""}})) + "." + Tail(Good()),
       Reason::kSignature, "does not fit"},
      {"a signature of another token",
       WithTail(Tail(Ed(HeaderText("EdDSA", "ed"), ClaimsText({{"sub", "\"bob\""}})))),
       Reason::kSignature, "does not fit"},
      {"another header than signed", Swapped(HeaderText("EdDSA", "ed", R"("typ":"JWT")")),
       Reason::kSignature, "does not fit"},
      {"another key of the same kind",
       issuer.other_ed.Token("EdDSA", HeaderText("EdDSA", "ed"), ClaimsText()), Reason::kSignature,
       "does not fit"},
      row("ECDSA as DER", es, issuer.p256.SignDer("ES256", es)),
      row("r and s swapped", es, s + r),
      row("r alone", es, r),
      row("nothing but zeros", es, zero + zero),
      row("r is zero", es, zero + s),
      row("s is zero", es, r + zero),
      row("s beyond the order", es, r + full),
      row("a byte too few", es, raw.substr(0, 63)),
      row("a byte too many", es, raw + std::string(1, '\0')),
      row("numbers as long as those of P-384", es,
          std::string(16, '\0') + r + std::string(16, '\0') + s),
      row("PSS without a salt", ps, issuer.rsa.SignPss("PS256", ps, 0)),
      row("PSS with a longer salt", ps, issuer.rsa.SignPss("PS256", ps, 64)),
      row("PSS with the longest salt", ps, issuer.rsa.SignPss("PS256", ps, -3)),
      row("PKCS 1 where PSS is said", ps, issuer.rsa.Sign("RS256", ps)),
      row("PSS where PKCS 1 is said", rs, issuer.rsa.Sign("PS256", rs)),
      row("another hash than is said", rs, issuer.rsa.Sign("RS512", rs)),
      row("an RSA signature that is zero", rs, std::string(256, '\0')),
      row("an RSA signature that is one", rs, std::string(255, '\0') + "\x01"),
      row("an RSA signature with a zero before", rs,
          std::string(1, '\0') + issuer.rsa.Sign("RS256", rs)),
      row("an RSA signature larger than the modulus", rs, std::string(256, '\xFF')),
      row("half a MAC", hs, mac.substr(0, 16)),
      row("a MAC and more", hs, mac + "x"),
      row("one byte of a MAC", hs, mac.substr(0, 1)),
      row("a MAC of another hash", hs, issuer.secret.Sign("HS512", hs)),
      row("a MAC in hexadecimal", hs, std::string(64, 'a')),
      row("an Ed25519 signature of zeros", Head(Good()) + "." + Body(Good()), zero + zero),
      row("an Ed25519 signature that is too long", Head(Good()) + "." + Body(Good()),
          std::string(65, 'x')),
  };
}

void CheckTokens(const std::vector<HostileToken>& rows) {
  for (const HostileToken& row : rows) {
    ExpectRefused(Trusted().Verify(row.token), row.reason, row.detail, row.name);
  }
}

TEST(HostileTokens, OfABadFormAreRefused) { CheckTokens(TokenForms()); }
TEST(HostileTokens, WithABadHeaderAreRefused) { CheckTokens(Headers()); }
TEST(HostileTokens, WithABadAlgorithmOrKeyAreRefused) { CheckTokens(Algorithms()); }
TEST(HostileTokens, WithABadSignatureAreRefused) { CheckTokens(Signatures()); }

TEST(HostileTokens, AreRefusedForWhatTheyAreAndNotForAFaultOfThisTest) {
  EXPECT_TRUE(Trusted().Verify(Good()).has_value());
  EXPECT_TRUE(Trusted().Verify(Ed(HeaderText("EdDSA", "ed", R"("typ":"JWT","x5t":"abc")"))));
  EXPECT_TRUE(Trusted().Verify(Ed(R"({"typ":"application/at+jwt","alg":"EdDSA"})")).has_value());
  EXPECT_GE(TokenForms().size() + Headers().size() + Algorithms().size() + Signatures().size(),
            120U);
}

}  // namespace
}  // namespace switchyard::auth
