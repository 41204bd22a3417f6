// Tokens and their claims. Lines: a token as it came, the JSON of a header; the rest is a payload.
// - a token of the fuzzer's making never passes, and is refused for a reason that a log can hold;
// - what is parsed is what was written: encoded anew it is the same text;
// - under a signature that fits, whatever stands in header and payload, an identity that comes out
//   is one: it has a subject, has not expired, and is the issuer's.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/jwk.h"
#include "auth/verify.h"
#include "base/base64url.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using fuzz::Require;

const std::string kSecret(32, 's');
const auth::WallTime kNow{std::chrono::seconds(1'800'000'000)};

const auth::KeySet& Keys() {
  static const auth::KeySet keys(
      auth::ReadJwks(R"({"kty":"oct","k":")" + EncodeBase64Url(kSecret) + "\"}", {.secrets = true})
          .value()
          .keys);
  return keys;
}

const auth::ClaimRules& Rules() {
  static const auth::ClaimRules rules{.issuer = "i",
                                      .audiences = {"a"},
                                      .roles = {"roles", "realm_access.roles"},
                                      .groups = {"a.b.c"}};
  return rules;
}

std::string Signed(const std::string& header, const std::string& payload) {
  const std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return text + "." + EncodeBase64Url({reinterpret_cast<const char*>(digest), size});
}

void CheckRefusal(const auth::Refusal& refusal) {
  Require(!refusal.detail.empty() && refusal.detail.size() < 2000, "a reason has a sane length");
  Require(mcp::IsUtf8(refusal.detail), "a reason is text");
}

void CheckForged(const std::string& token) {
  const auth::Verdict<auth::Jws> jws = auth::ParseJws(token);
  if (!jws) return CheckRefusal(jws.error());
  Require(std::string(jws->signed_text) + "." + EncodeBase64Url(jws->signature) == token,
          "one token has one spelling");
  static_cast<void>(auth::UnverifiedIssuer(*jws));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  CheckForged(lines.Next());
  const std::string header = lines.Next(), payload = lines.Rest();
  const auth::Verdict<auth::Identity> identity =
      auth::VerifyToken(Signed(header, payload), Keys(), Rules(), kNow);
  if (!identity) {
    CheckRefusal(identity.error());
    return 0;
  }
  Require(!identity->subject.empty(), "there is a subject");
  Require(identity->issuer == "i", "it is the issuer's");
  Require(identity->expires + Rules().skew + std::chrono::seconds(1) > kNow, "it has not expired");
  Require(identity->claims == payload, "the claims are those that were signed");
  return 0;
}
