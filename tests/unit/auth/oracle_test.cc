// Held against librhonabwy, which stands on GnuTLS and Nettle: what it signs is taken, and what is
// taken it takes, too.
#include <memory>
#include <random>
#include <rhonabwy.h>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64url.h"
#include "unit/auth/issuer.h"

namespace switchyard::auth {
namespace {

using OracleKey = std::unique_ptr<jwk_t, decltype(&r_jwk_free)>;
using OracleToken = std::unique_ptr<jws_t, decltype(&r_jws_free)>;

OracleKey KeyOf(const std::string& jwk) {
  jwk_t* key = nullptr;
  EXPECT_EQ(r_jwk_init(&key), RHN_OK);
  EXPECT_EQ(r_jwk_import_from_json_str(key, jwk.c_str()), RHN_OK);
  return {key, r_jwk_free};
}

OracleToken NewToken() {
  jws_t* token = nullptr;
  EXPECT_EQ(r_jws_init(&token), RHN_OK);
  return {token, r_jws_free};
}

bool OracleTakes(jwk_t* key, const std::string& token) {
  const OracleToken parsed = NewToken();
  return r_jws_advanced_compact_parsen(parsed.get(), token.data(), token.size(), R_PARSE_NONE,
                                       R_FLAG_IGNORE_REMOTE) == RHN_OK &&
         r_jws_verify_signature(parsed.get(), key, R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

std::string OracleSigns(jwk_t* key, const std::string& algorithm, const std::string& payload) {
  const OracleToken token = NewToken();
  EXPECT_EQ(r_jws_set_header_str_value(token.get(), "typ", "JWT"), RHN_OK);
  EXPECT_EQ(r_jws_set_alg(token.get(), r_str_to_jwa_alg(algorithm.c_str())), RHN_OK);
  EXPECT_EQ(r_jws_set_payload(token.get(), reinterpret_cast<const unsigned char*>(payload.data()),
                              payload.size()),
            RHN_OK);
  const std::unique_ptr<char, decltype(&r_free)> text(r_jws_serialize(token.get(), key, 0), r_free);
  return text == nullptr ? "" : text.get();
}

struct Way {
  std::string algorithm;
  const Signer& signer;
};

std::vector<Way> Ways() {
  const Issuer& issuer = Issuer::Get();
  return {{"HS256", issuer.secret}, {"HS384", issuer.secret}, {"HS512", issuer.secret},
          {"RS256", issuer.rsa},    {"RS384", issuer.rsa},    {"RS512", issuer.rsa},
          {"PS256", issuer.rsa},    {"PS384", issuer.rsa},    {"PS512", issuer.rsa},
          {"ES256", issuer.p256},   {"ES384", issuer.p384},   {"ES512", issuer.p521},
          {"EdDSA", issuer.ed}};
}

// By the signature alone: what the claims say is no matter of the oracle.
class OneKey {
 public:
  explicit OneKey(const Way& way)
      : keys_(ReadJwks(way.signer.Jwk(), {.secrets = true}).value().keys),
        oracle_(KeyOf(way.signer.Jwk())) {}

  bool WeTake(const std::string& token) const {
    const Verdict<Jws> jws = ParseJws(token);
    if (!jws) return false;
    const Verdict<const Key*> key = keys_.Find(jws->algorithm, jws->key_id);
    return key && (*key)->Verify(jws->algorithm, jws->signed_text, jws->signature);
  }
  bool ItTakes(const std::string& token) const { return OracleTakes(oracle_.get(), token); }

 private:
  KeySet keys_;
  OracleKey oracle_;
};

// One change, anywhere in it.
std::string Mutated(std::string token, std::mt19937& random) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
  const std::size_t at = random() % token.size();
  const char digit = kDigits[random() % kDigits.size()];
  switch (random() % 7) {
    case 0: token[at] = digit; break;
    case 1: token.erase(at, 1); break;
    case 2: token.insert(at, 1, digit); break;
    case 3: token.resize(at); break;
    case 4: std::swap(token[at], token[random() % token.size()]); break;
    case 5: token += token.substr(at); break;
    default: {  // a change of the bytes, not of their spelling
      const std::size_t dot = token.rfind('.');
      std::string signature = DecodeBase64Url(token.substr(dot + 1)).value_or("x");
      char& byte = signature[random() % signature.size()];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (random() % 8)));
      token = token.substr(0, dot + 1) + EncodeBase64Url(signature);
    }
  }
  return token;
}

TEST(Oracle, WhatItSignsIsTaken) {
  for (const Way& way : Ways()) {
    const OneKey key(way);
    const OracleKey private_key = KeyOf(way.signer.PrivateJwk());
    for (int i = 0; i < 8; ++i) {
      const std::string token =
          OracleSigns(private_key.get(), way.algorithm, ClaimsText({{"n", std::to_string(i)}}));
      ASSERT_FALSE(token.empty()) << way.algorithm;
      EXPECT_TRUE(key.WeTake(token)) << way.algorithm << " " << token;
      const Verdict<Identity> identity =
          VerifyToken(token, KeySet(ReadJwks(way.signer.Jwk(), {.secrets = true}).value().keys),
                      Issuer::Get().rules, kNow);
      EXPECT_TRUE(identity.has_value()) << way.algorithm;
    }
  }
}

TEST(Oracle, TakesWhatTheTestsSign) {
  for (const Way& way : Ways()) {
    const std::string token = way.signer.Token(way.algorithm, ClaimsText());
    EXPECT_TRUE(OneKey(way).ItTakes(token)) << way.algorithm;
  }
}

TEST(Oracle, WhatItRefusesIsRefused) {
  int taken = 0;
  for (const Way& way : Ways()) {
    const OneKey key(way);
    std::mt19937 random(7);
    const std::string good = way.signer.Token(way.algorithm, ClaimsText());
    for (int i = 0; i < 150; ++i) {
      std::string token = Mutated(good, random);
      if (random() % 4 == 0) token = Mutated(token, random);
      if (!key.WeTake(token)) continue;
      ++taken;
      EXPECT_TRUE(key.ItTakes(token)) << way.algorithm << " " << token;
    }
  }
  EXPECT_LT(taken, 100);  // a swap of two equal characters changes nothing
}

TEST(Oracle, NoKeyTakesATokenOfAnother) {
  for (const Way& mine : Ways()) {
    const OneKey key(mine);
    for (const Way& other : Ways()) {
      const std::string token = other.signer.Token(other.algorithm, ClaimsText());
      EXPECT_EQ(key.WeTake(token), key.ItTakes(token)) << mine.algorithm << " " << other.algorithm;
    }
  }
}

}  // namespace
}  // namespace switchyard::auth
