// An issuer with a key of each kind, and what a gateway that trusts it holds. Made once: RSA keys
// take their time.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/claims.h"
#include "auth/jwk.h"
#include "auth/key_set.h"
#include "auth/verify.h"
#include "support/signer.h"

namespace switchyard::auth {

using tests::Signer;

inline const WallTime kNow{std::chrono::seconds(1'800'000'000)};

// Members of a claims object, raw; "" takes one away.
using Claims = std::map<std::string, std::string>;

inline std::string ClaimsText(const Claims& changed = {}) {
  Claims claims{{"iss", R"("https://issuer.example")"},
                {"aud", R"("https://gateway.example/mcp")"},
                {"sub", R"("alice")"},
                {"exp", "1800000600"},
                {"iat", "1799999990"}};
  for (const auto& [name, raw] : changed) claims[name] = raw;
  std::string text;
  for (const auto& [name, raw] : claims) {
    if (!raw.empty()) text += (text.empty() ? "{\"" : ",\"") + name + "\":" + raw;
  }
  return text + "}";
}

struct Issuer {
  Signer rsa = Signer::Rsa(), other_rsa = Signer::Rsa();
  Signer p256 = Signer::Ec("P-256"), p384 = Signer::Ec("P-384"), p521 = Signer::Ec("P-521");
  Signer ed = Signer::Ed25519(), other_ed = Signer::Ed25519();
  Signer secret = Signer::Hmac(std::string(64, 's')), weak = Signer::Hmac(std::string(32, 'w'));
  KeySet keys{ReadJwks(JwksText(), {.secrets = true}).value().keys};
  ClaimRules rules{.issuer = "https://issuer.example",
                   .audiences = {"https://gateway.example/mcp", "gateway"}};

  static const Issuer& Get() {
    static const Issuer issuer;
    return issuer;
  }

  // Two that are pinned to one algorithm, the others only by their kind.
  std::string JwksText() const {
    return R"({"keys":[)" + rsa.Jwk(R"("kid":"rsa","use":"sig")") + "," +
           other_rsa.Jwk(R"("kid":"rs256","alg":"RS256")") + "," + p256.Jwk(R"("kid":"p256")") +
           "," + p384.Jwk(R"("kid":"p384")") + "," + p521.Jwk(R"("kid":"p521")") + "," +
           ed.Jwk(R"("kid":"ed","alg":"EdDSA")") + "," + secret.Jwk(R"("kid":"hs")") + "," +
           weak.Jwk(R"("kid":"hs256","alg":"HS256")") + "]}";
  }

  Verdict<Identity> Verify(std::string_view token) const {
    return VerifyToken(token, keys, rules, kNow);
  }
};

// `{"alg":ALGORITHM,"kid":KID}`, and more members.
inline std::string HeaderText(std::string_view algorithm, std::string_view kid,
                              std::string_view more = "") {
  return std::string(R"({"alg":")").append(algorithm).append(R"(","kid":")").append(kid) + "\"" +
         (more.empty() ? "" : "," + std::string(more)) + "}";
}

// That it was refused, for this reason, in words that hold `detail` and fit into a log line.
inline void ExpectRefused(const Verdict<Identity>& verdict, Reason reason,
                          const std::string& detail, const std::string& name) {
  ASSERT_FALSE(verdict.has_value()) << name;
  EXPECT_EQ(ToString(verdict.error().reason), ToString(reason))
      << name << ": " << verdict.error().detail;
  EXPECT_THAT(verdict.error().detail, ::testing::HasSubstr(detail)) << name;
  EXPECT_LT(verdict.error().detail.size(), 300U) << name;
}

}  // namespace switchyard::auth
