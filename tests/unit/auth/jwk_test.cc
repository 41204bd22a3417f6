#include "auth/jwk.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Issuer& Some() { return Issuer::Get(); }

// `text` with the first occurrence of `from` replaced, which must be there.
std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string Member(const std::string& jwk, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const std::size_t at = jwk.find(start) + start.size();
  return jwk.substr(at, jwk.find('"', at) - at);
}

std::string With(const std::string& jwk, const std::string& name, const std::string& bytes) {
  return Replaced(jwk, Member(jwk, name), EncodeBase64Url(bytes));
}

// A PEM block of a key with a byte more in it than the key has.
std::string WithAByteMore(const std::string& pem) {
  const std::size_t begin = pem.find('\n') + 1, end = pem.find("=\n-----END");
  std::string body = pem.substr(begin, end - begin);
  const auto swap = [&body](char from, char to) { std::ranges::replace(body, from, to); };
  swap('+', '-');
  swap('/', '_');
  body = EncodeBase64Url(DecodeBase64Url(body).value() + "x");
  swap('-', '+');
  swap('_', '/');
  return pem.substr(0, begin) + body + pem.substr(end + 1);
}

TEST(ReadKeys, TakesEveryKindAndFixesWhatItIsFor) {
  const auto only = [](const std::string& text) {
    const Result<KeysRead> read = ReadKeys(text, {.secrets = true});
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
    return read->keys.at(0).algorithms().ToText();
  };
  EXPECT_EQ(only(Some().rsa.Jwk()), "RS256, RS384, RS512, PS256, PS384, PS512");
  EXPECT_EQ(only(Some().rsa.Jwk(R"("alg":"PS384")")), "PS384");
  EXPECT_EQ(only(Some().p256.Jwk()), "ES256");
  EXPECT_EQ(only(Some().p384.Jwk()), "ES384");
  EXPECT_EQ(only(Some().p521.Jwk()), "ES512");
  EXPECT_EQ(only(Some().ed.Jwk()), "EdDSA");
  EXPECT_EQ(only(Some().ed.Jwk(R"("alg":"Ed25519")")), "EdDSA");
  EXPECT_EQ(only(Some().secret.Jwk()), "HS256, HS384, HS512");
  EXPECT_EQ(only(Some().weak.Jwk()), "HS256");
  EXPECT_EQ(only(Some().rsa.Jwk(R"("use":"sig","key_ops":["sign","verify"])")),
            "RS256, RS384, RS512, PS256, PS384, PS512");
  EXPECT_EQ(only(Some().rsa.Pem()), "RS256, RS384, RS512, PS256, PS384, PS512");
  EXPECT_EQ(only(Some().p521.Pem()), "ES512");
  EXPECT_EQ(only("# from the vault\n" + Some().ed.Pem()), "EdDSA");
  EXPECT_EQ(only(Some().p384.CertificatePem()), "ES384");
  EXPECT_EQ(only(Some().ed.CertificatePem()), "EdDSA");
  EXPECT_EQ(only(" \n" + Some().JwksText()), "RS256, RS384, RS512, PS256, PS384, PS512");
}

TEST(ReadKeys, TheRulesNarrowWhatAKeyIsFor) {
  const KeyRules rules{.algorithms = {Algorithm::kPs256, Algorithm::kEdDsa}};
  EXPECT_EQ(ReadKeys(Some().rsa.Pem(), rules)->keys.at(0).algorithms(),
            AlgorithmSet{Algorithm::kPs256});
  EXPECT_THAT(ReadKeys(Some().p256.Pem(), rules).error().message,
              HasSubstr("is for ES256, wanted is PS256, EdDSA"));
  EXPECT_FALSE(ReadKeys(Some().rsa.Jwk(R"("alg":"RS256")"), rules).has_value());
}

TEST(ReadKeys, SkipsWhatIsOfNoUseAndSaysWhy) {
  const KeysRead read = ReadKeys(R"({"keys":[)" + Some().rsa.Jwk(R"("kid":"a","use":"enc")") +
                                     R"(,7,{"kty":"XYZ"},)" + Some().ed.Jwk(R"("kid":"good")") +
                                     "," + Some().secret.Jwk() + "]}",
                                 {})
                            .value();
  ASSERT_EQ(read.keys.size(), 1U);
  EXPECT_EQ(read.keys[0].id(), "good");
  EXPECT_THAT(read.skipped,
              ElementsAre(R"(key 1 ("a"): use is not sig)", "key 2: not an object",
                          R"(key 3: kty "XYZ", must be RSA, EC, OKP or oct)",
                          "key 5: a secret (kty oct) where only public keys are taken"));
}

TEST(ReadKeys, SeveralPemBlocksAreSeveralKeys) {
  const KeysRead read = ReadKeys(Some().rsa.Pem() + "text in between\n" + Some().ed.PrivatePem() +
                                     Some().p256.CertificatePem(),
                                 {})
                            .value();
  EXPECT_EQ(read.keys.size(), 2U);
  EXPECT_THAT(read.skipped, ElementsAre("key 2: a private key: give the public one"));
}

TEST(ReadKeys, ALeadingZeroOfAModulusIsNoMatter) {
  const std::string jwk = Some().rsa.Jwk();
  const std::string n = *DecodeBase64Url(Member(jwk, "n"));
  EXPECT_TRUE(ReadKeys(With(jwk, "n", std::string(1, '\0') + n), {}).has_value());
}

struct Bad {
  std::string name, text, why;
};

std::vector<Bad> BadRsaKeys() {
  const std::string jwk = Some().rsa.Jwk();
  const std::string n = *DecodeBase64Url(Member(jwk, "n"));
  std::string even = n;
  even.back() = static_cast<char>(even.back() & ~1);
  return {
      {"no n", R"({"kty":"RSA","e":"AQAB"})", "has no n"},
      {"no e", R"({"kty":"RSA","n":"AQAB"})", "has no e"},
      {"a number for n", R"({"kty":"RSA","n":5,"e":"AQAB"})", "has no n"},
      {"an empty n", R"({"kty":"RSA","n":"","e":"AQAB"})", "has no n"},
      {"n with padding", Replaced(jwk, Member(jwk, "n"), Member(jwk, "n") + "="),
       "n is not base64url"},
      {"512 bits", With(jwk, "n", n.substr(0, 63) + "\x01"), "512 bits"},
      {"1024 bits", Signer::Rsa(1024).Jwk(), "an RSA key of 1024 bits, must have 2048 to 8192"},
      {"2047 bits", With(jwk, "n", "\x7F" + n.substr(1)), "2047 bits"},
      {"one byte", With(jwk, "n", "\x0F"), "more than"},
      {"many bits", With(jwk, "n", n + n + n + n + n), "more than 8192 bits"},
      {"e of one", With(jwk, "e", "\x01"), "exponent"},
      {"e of zero", With(jwk, "e", std::string(1, '\0')), "exponent"},
      {"e of two", With(jwk, "e", "\x02"), "exponent"},
      {"an even e", With(jwk, "e", std::string("\x01\x00\x00", 3)), "exponent"},
      {"a huge e", With(jwk, "e", n.substr(0, 200) + "\x01"), "exponent"},
      {"e larger than n", With(jwk, "e", n + "\x01"), "more than"},
      {"an even n", With(jwk, "n", even), "modulus that is none"},
      {"a private key", Some().rsa.PrivateJwk(), "holds a private key (d)"},
      {"one of its primes", Some().rsa.Jwk(R"("p":"AQAB")"), "holds a private key (p)"},
      {"a secret in it", Some().rsa.Jwk(R"("k":"AQAB")"), "holds a private key (k)"},
      {"for encryption", Some().rsa.Jwk(R"("use":"enc")"), "use is not sig"},
      {"a number for use", Some().rsa.Jwk(R"("use":1)"), "use is not sig"},
      {"to sign alone", Some().rsa.Jwk(R"("key_ops":["sign"])"), "key_ops has no verify"},
      {"for nothing", Some().rsa.Jwk(R"("key_ops":[])"), "key_ops has no verify"},
      {"a text for key_ops", Some().rsa.Jwk(R"("key_ops":"verify")"), "key_ops has no verify"},
      {"alg of encryption", Some().rsa.Jwk(R"("alg":"RSA-OAEP")"), "is not known here"},
      {"alg none", Some().rsa.Jwk(R"("alg":"none")"), "is not known here"},
      {"alg of another kind", Some().rsa.Jwk(R"("alg":"HS256")"), "wanted is HS256"},
      {"a number for alg", Some().rsa.Jwk(R"("alg":1)"), "alg is not a text"},
      {"a number for kid", Some().rsa.Jwk(R"("kid":1)"), "kid is not a text"},
      {"a huge kid", Some().rsa.Jwk("\"kid\":\"" + std::string(600, 'k') + "\""), "kid is not"},
      {"n twice", Some().rsa.Jwk(R"("n":"AQAB")"), "twice"},
  };
}

std::vector<Bad> BadCurveKeys() {
  const std::string p256 = Some().p256.Jwk(), ed = Some().ed.Jwk();
  const std::string x = *DecodeBase64Url(Member(p256, "x"));
  std::string off = *DecodeBase64Url(Member(p256, "y"));
  off.back() = static_cast<char>(off.back() ^ 1);
  const std::string zero(32, '\0'), full(32, '\xFF');
  return {
      {"a point that is not on the curve", With(p256, "y", off), "no point of its curve"},
      {"zeros", With(With(p256, "x", zero), "y", zero), "no point of its curve"},
      {"beyond the field", With(p256, "x", full), "no point of its curve"},
      {"x too short", With(p256, "x", x.substr(1)), "32 bytes each"},
      {"x too long", With(p256, "x", std::string(1, '\0') + x), "32 bytes each"},
      {"no y", R"({"kty":"EC","crv":"P-256","x":"AA"})", "has no y"},
      {"said to be on another curve", Replaced(p256, "P-256", "P-384"), "48 bytes each"},
      {"secp256k1", Replaced(p256, "P-256", "secp256k1"), "must be P-256"},
      {"a curve in small letters", Replaced(p256, "P-256", "p-256"), "must be P-256"},
      {"no curve", R"({"kty":"EC","x":"AA","y":"AA"})", "has no crv"},
      {"a private EC key", Some().p256.PrivateJwk(), "holds a private key (d)"},
      {"ES384 on P-256", Some().p256.Jwk(R"("alg":"ES384")"), "is for ES256, wanted is ES384"},
      {"an OKP without a curve", R"({"kty":"OKP","x":"AA"})", "has no crv"},
      {"X25519", Replaced(ed, "Ed25519", "X25519"), "must be Ed25519"},
      {"Ed448", Replaced(ed, "Ed25519", "Ed448"), "must be Ed25519"},
      {"Ed25519 too short", With(ed, "x", std::string(31, 'x')), "32 bytes"},
      {"Ed25519 too long", With(ed, "x", std::string(33, 'x')), "32 bytes"},
      {"Ed25519 of zeros", With(ed, "x", zero), "small order"},
      {"Ed25519 of one", With(ed, "x", "\x01" + std::string(31, '\0')), "small order"},
      {"Ed25519 of minus one", With(ed, "x", "\xEC" + std::string(30, '\xFF') + "\x7F"),
       "small order"},
      {"Ed25519 of the prime", With(ed, "x", "\xED" + std::string(30, '\xFF') + "\xFF"),
       "small order"},
      {"a private Ed25519 key", Some().ed.PrivateJwk(), "holds a private key (d)"},
  };
}

std::vector<Bad> OtherBadKeys() {
  std::string many;
  for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + Some().ed.Jwk();
  const std::string pem = Some().ed.Pem();
  return {
      {"nothing", "", "neither a JWK Set nor PEM"},
      {"a text", "secret", "neither a JWK Set nor PEM"},
      {"an empty object", "{}", "has no kty"},
      {"no keys", R"({"keys":[]})", "no keys"},
      {"keys that are an object", R"({"keys":{}})", "keys is not an array"},
      {"keys that are null", R"({"keys":null})", "keys is not an array"},
      {"keys twice", R"({"keys":[],"keys":[]})", "twice"},
      {"broken JSON", R"({"keys":[)", "not JSON"},
      {"an HTML page", "<html>404</html>", "neither"},
      {"too many keys", R"({"keys":[)" + many + "]}", "101 keys, at most 100"},
      {"too much text", "{" + std::string(kMaxKeysText, ' ') + "}", "at most 524288"},
      {"too much PEM", std::string(kMaxKeysText + 1, 'x'), "at most 524288"},
      {"a number for kty", R"({"kty":1})", "has no kty"},
      {"kty in small letters", Replaced(Some().rsa.Jwk(), "RSA", "rsa"), "must be RSA"},
      {"a short secret", R"({"kty":"oct","k":"c2VjcmV0"})", "has 6 bytes, must have 32"},
      {"an empty secret", R"({"kty":"oct","k":""})", "has no k"},
      {"a secret too short for its alg", Some().weak.Jwk(R"("alg":"HS512")"), "wanted is HS512"},
      {"a huge secret", Signer::Hmac(std::string(2000, 'x')).Jwk(), "has 2000 bytes"},
      {"an RSA key as a secret", Some().secret.Jwk(R"("alg":"RS256")"), "wanted is RS256"},
      {"a private key as PEM", Some().rsa.PrivatePem(), "a private key: give the public one"},
      {"PEM that breaks off", pem.substr(0, pem.size() - 30), "broken PEM"},
      {"PEM that is no base64", Replaced(pem, "MC", "**"), "PEM"},
      {"PEM of something else",
       Replaced(Replaced(pem, "PUBLIC KEY", "X509 CRL"), "PUBLIC KEY", "X509 CRL"),
       "neither a public key nor a certificate"},
      {"PEM with another label",
       Replaced(Replaced(pem, "PUBLIC KEY", "CERTIFICATE"), "PUBLIC KEY", "CERTIFICATE"),
       "not a key that OpenSSL can read"},
      {"PEM with more than a key", WithAByteMore(pem), "not a key that OpenSSL can read"},
      {"a small RSA key as PEM", Signer::Rsa(1024).Pem(), "1024 bits"},
      {"another curve as PEM", Signer::Ec("secp256k1").Pem(), "another curve"},
      {"a certificate of a small key", Signer::Rsa(1024).CertificatePem(), "1024 bits"},
  };
}

void Check(const std::vector<Bad>& rows) {
  for (const Bad& row : rows) {
    const Result<KeysRead> read = ReadKeys(row.text, {.secrets = true});
    ASSERT_FALSE(read.has_value()) << row.name;
    EXPECT_THAT(read.error().message, HasSubstr(row.why)) << row.name;
    EXPECT_LT(read.error().message.size(), 300U) << row.name;
  }
}

TEST(HostileKeys, OfRsaAreRefused) { Check(BadRsaKeys()); }
TEST(HostileKeys, OnCurvesAreRefused) { Check(BadCurveKeys()); }
TEST(HostileKeys, OfOtherFormsAreRefused) { Check(OtherBadKeys()); }

TEST(HostileKeys, LeaveNoErrorBehindForTlsToFind) {
  static_cast<void>(ReadKeys(Some().rsa.PrivatePem(), {}));
  static_cast<void>(ReadKeys("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", {}));
  static_cast<void>(
      Some().Verify(Some().other_ed.Token("EdDSA", HeaderText("EdDSA", "ed"), ClaimsText())));
  static_cast<void>(
      Some().Verify(Some().other_rsa.Token("RS256", HeaderText("RS256", "rsa"), ClaimsText())));
  EXPECT_TRUE(tests::OpenSslErrorsAreEmpty());
}

}  // namespace
}  // namespace switchyard::auth
