// An issuer of tokens: one key, and claims that are good now unless a test changes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "support/signer.h"

namespace switchyard::tests {

class TokenIssuer {
 public:
  // Raw JSON by claim; "" takes one away.
  using Claims = std::map<std::string, std::string>;

  explicit TokenIssuer(std::string name = "https://issuer.example",
                       Signer signer = Signer::Ed25519(), std::string algorithm = "EdDSA")
      : name_(std::move(name)), signer_(std::move(signer)), algorithm_(std::move(algorithm)) {}

  const Signer& signer() const { return signer_; }
  // YAML of an issuer, with `more` keys.
  std::string Config(const std::string& more = "") const {
    return "{issuer: '" + name_ + "', keys: '{\"keys\":[" + signer_.Jwk(R"("kid":"k")") + "]}'" +
           (more.empty() ? "" : ", " + more) + "}";
  }

  static std::int64_t Now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::string Payload(const std::string& subject, const Claims& changed = {}) const {
    Claims claims = {{"iss", "\"" + name_ + "\""},
                     {"aud", R"("gateway")"},
                     {"sub", "\"" + subject + "\""},
                     {"exp", std::to_string(Now() + 3600)}};
    for (const auto& [name, raw] : changed) claims[name] = raw;
    std::string text;
    for (const auto& [name, raw] : claims) {
      if (!raw.empty()) text += (text.empty() ? "{\"" : ",\"") + name + "\":" + raw;
    }
    return text + "}";
  }
  std::string Token(const std::string& subject, const Claims& changed = {}) const {
    return signer_.Token(algorithm_, Payload(subject, changed));
  }

 private:
  std::string name_;
  Signer signer_;
  std::string algorithm_;
};

}  // namespace switchyard::tests
