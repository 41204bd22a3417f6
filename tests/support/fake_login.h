// The issuer of callers' tokens as people sign in there (OpenID Connect), asked in place of the
// network: FakeAuthorization::others. Strict about what it gets: a code is good once, for the
// client that proves itself, with the verifier, and the ID token has the nonce of who was sent.
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "credentials/oauth/authorization.h"
#include "credentials/oauth/form.h"
#include "fetch/fetch.h"
#include "support/fake_authorization.h"
#include "support/token_issuer.h"

namespace switchyard::tests {

class FakeLogin {
 public:
  using Claims = TokenIssuer::Claims;

  // As a gateway is registered there.
  static constexpr const char* kConfig =
      ", login: {client_id: gateway-login, client_secret: s3cret}";

  FakeLogin(std::string name, const TokenIssuer& issuer)
      : name_(std::move(name)), issuer_(issuer) {}

  // What it is; set before anybody is sent.
  bool says_issuer = false, has_pkce = true;
  // Of the ID tokens from now on, raw; "" takes one away.
  void Says(const Claims& claims) {
    const std::lock_guard lock(mutex_);
    claims_ = claims;
  }

  // Somebody signs in: the query that leads back, of what the browser was sent with.
  std::string SignIn(const std::string& url, const std::string& subject) {
    const std::lock_guard lock(mutex_);
    auto asked = FakeAuthorization::Query(url);
    asked["subject"] = subject;
    const std::string code = "login-" + std::to_string(++made_);
    codes_[code] = asked;
    return "code=" + code + "&state=" + asked.at("state") +
           (says_issuer ? "&iss=" + credentials::oauth::PercentEncode(name_) : "");
  }
  int given() const {
    const std::lock_guard lock(mutex_);
    return given_;
  }

  std::optional<fetch::Response> Answer(const fetch::Request& request) {
    const std::lock_guard lock(mutex_);
    if (request.url == name_ + "/.well-known/openid-configuration") return Metadata();
    if (request.url != name_ + "/token") return std::nullopt;
    return Token(request);
  }

 private:
  fetch::Response Metadata() const {
    std::string text = R"({"issuer":")" + name_ + R"(","authorization_endpoint":")" + name_ +
                       R"(/authorize","token_endpoint":")" + name_ +
                       R"(/token","token_endpoint_auth_methods_supported":["client_secret_basic"])";
    if (has_pkce) text += R"(,"code_challenge_methods_supported":["S256"])";
    if (says_issuer) text += R"(,"authorization_response_iss_parameter_supported":true)";
    return {.status = 200, .body = text + "}"};
  }

  fetch::Response Token(const fetch::Request& request) {
    const fetch::Response refusal{.status = 400, .body = R"({"error":"invalid_grant"})"};
    std::map<std::string, std::string> form;
    const auto fields = credentials::oauth::ReadForm(request.body);
    for (const auto& [name, value] : fields.value()) form[name] = value;
    const auto code = codes_.find(form["code"]);
    if (code == codes_.end()) return refusal;
    auto asked = code->second;
    codes_.erase(code);
    bool known = false;
    for (const auto& header : request.headers) {
      known = known || (header.name == "Authorization" &&
                        header.value == "Basic Z2F0ZXdheS1sb2dpbjpzM2NyZXQ=");
    }
    if (!known || asked["client_id"] != "gateway-login" ||
        credentials::oauth::ChallengeOf(form["code_verifier"]) != asked["code_challenge"] ||
        form["redirect_uri"] != asked["redirect_uri"]) {
      return refusal;
    }
    Claims claims{{"aud", R"("gateway-login")"},
                  {"nonce", "\"" + asked["nonce"] + "\""},
                  {"iat", std::to_string(TokenIssuer::Now())}};
    for (const auto& [name, raw] : claims_) claims[name] = raw;
    ++given_;
    return {.status = 200,
            .body = R"({"access_token":"theirs","token_type":"Bearer","id_token":")" +
                    issuer_.Token(asked["subject"], claims) + "\"}"};
  }

  const std::string name_;
  const TokenIssuer& issuer_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::map<std::string, std::string>> codes_;  // what was asked, by code
  Claims claims_;
  int made_ = 0, given_ = 0;
};

}  // namespace switchyard::tests
