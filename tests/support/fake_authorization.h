// An authorization server, asked in place of the network (Gateway::FetchesBy), and a browser that
// goes to it and to the pages of a gateway. The server is strict about what it gets: a code is good
// once, for who began, with the verifier; a refresh token as well. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "credentials/oauth/authorization.h"
#include "credentials/oauth/form.h"
#include "support/client.h"
#include "support/fake_fetcher.h"

namespace switchyard::tests {

class FakeAuthorization {
 public:
  FakeAuthorization() {
    fetcher_.Answers([this](const fetch::Request& request) {
      const std::lock_guard lock(mutex_);
      return Answer(request);
    });
  }

  fetch::Fetcher& fetcher() { return fetcher_; }

  // What it is; set before the gateway starts.
  bool says_issuer = true, has_pkce = true, registers = false, takes_documents = false;
  std::string scopes_supported = R"(["read"])";  // of the server whose tokens it gives out
  std::string issuer = "https://as.example";
  std::string sign_in = "https://as.example";  // the origin of the page for users
  // What is asked of others than it; nullopt: nothing is there.
  std::function<std::optional<fetch::Response>(const fetch::Request&)> others;

  // The user of a browser agrees: the query that leads back, of what the browser was sent with.
  std::string Agree(const std::string& url) {
    const std::lock_guard lock(mutex_);
    const auto asked = Query(url);
    const std::string code = "code-" + std::to_string(++made_);
    codes_[code] = asked;
    return "code=" + code + "&state=" + asked.at("state") +
           "&iss=" + credentials::oauth::PercentEncode(issuer);
  }
  static std::map<std::string, std::string> Query(const std::string& url) {
    std::map<std::string, std::string> query;
    const auto fields = credentials::oauth::ReadForm(url.substr(url.find('?') + 1));
    for (const auto& [name, value] : fields.value()) query[name] = value;
    return query;
  }

  void Fails(bool fails) {
    const std::lock_guard lock(mutex_);
    fails_ = fails;
  }
  // As if somebody had revoked all there is.
  void Revoke() {
    const std::lock_guard lock(mutex_);
    refresh_.clear();
  }
  std::vector<std::map<std::string, std::string>> forms() const {
    const std::lock_guard lock(mutex_);
    return forms_;
  }
  int registered() const {
    const std::lock_guard lock(mutex_);
    return registered_;
  }

 private:
  static fetch::Response Refusal(const std::string& word) {
    return {.status = 400, .body = R"({"error":")" + word + "\"}"};
  }

  Result<fetch::Response> Answer(const fetch::Request& request) {
    const std::string kResource = "/.well-known/oauth-protected-resource";
    if (const std::size_t at = request.url.find(kResource); at != std::string::npos) {
      const std::string resource =
          request.url.substr(0, at) + request.url.substr(at + kResource.size());
      return fetch::Response{.status = 200,
                             .body = R"({"resource":")" + resource +
                                     R"(","authorization_servers":[")" + issuer +
                                     R"("],"scopes_supported":)" + scopes_supported + "}"};
    }
    if (request.url == issuer + "/.well-known/oauth-authorization-server") return Metadata();
    if (request.url == issuer + "/register") {
      ++registered_;
      return fetch::Response{
          .status = 201,
          .body = R"({"client_id":"registered","token_endpoint_auth_method":"none"})"};
    }
    if (request.url != issuer + "/token") {
      const auto answer = others ? others(request) : std::nullopt;
      return answer.value_or(fetch::Response{.status = 404});
    }
    return Token(request);
  }

  fetch::Response Metadata() const {
    std::string text = R"({"issuer":")" + issuer + R"(","authorization_endpoint":")" + sign_in +
                       R"(/authorize","token_endpoint":")" + issuer +
                       R"(/token","token_endpoint_auth_methods_supported":["none",)"
                       R"("client_secret_basic"])";
    if (has_pkce) text += R"(,"code_challenge_methods_supported":["S256"])";
    if (says_issuer) text += R"(,"authorization_response_iss_parameter_supported":true)";
    if (takes_documents) text += R"(,"client_id_metadata_document_supported":true)";
    if (registers) text += R"(,"registration_endpoint":")" + issuer + R"(/register")";
    return {.status = 200, .body = text + "}"};
  }

  fetch::Response Token(const fetch::Request& request) {
    std::map<std::string, std::string> form;
    const auto fields = credentials::oauth::ReadForm(request.body);
    for (const auto& [name, value] : fields.value()) form[name] = value;
    forms_.push_back(form);
    if (fails_) return {.status = 503};
    if (form["grant_type"] == "refresh_token") {
      return refresh_.erase(form["refresh_token"]) == 1 ? Given() : Refusal("invalid_grant");
    }
    const auto code = codes_.find(form["code"]);
    if (form["grant_type"] != "authorization_code" || code == codes_.end()) {
      return Refusal("invalid_grant");
    }
    const auto asked = code->second;
    codes_.erase(code);
    const bool fits =
        asked.at("code_challenge_method") == "S256" &&
        credentials::oauth::ChallengeOf(form["code_verifier"]) == asked.at("code_challenge") &&
        form["redirect_uri"] == asked.at("redirect_uri") &&
        form["resource"] == asked.at("resource");
    return fits ? Given() : Refusal("invalid_grant");
  }

  fetch::Response Given() {
    const std::string number = std::to_string(++given_);
    refresh_.insert("refresh-" + number);
    return {.status = 200,
            .body = R"({"access_token":"access-)" + number +
                    R"(","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-)" +
                    number + "\"}"};
  }

  tests::FakeFetcher fetcher_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::map<std::string, std::string>> codes_;  // what was asked, by code
  std::set<std::string> refresh_;
  std::vector<std::map<std::string, std::string>> forms_;
  int made_ = 0, given_ = 0, registered_ = 0;
  bool fails_ = false;
};

// Keeps its cookie, and says where its requests come from as browsers do.
class Browser {
 public:
  explicit Browser(std::uint16_t port) : port_(port) {}

  static std::string PathOf(const std::string& url) {
    return url.substr(url.find('/', url.find("://") + 3));
  }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }

  Answer Get(const std::string& path) { return Send("GET " + path, "", ""); }
  Answer Post(const std::string& path, const std::string& body, const std::string& from) {
    return Send("POST " + path,
                "Origin: " + from + "\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                body);
  }
  // The button of a page that was got. What it answers leads to the authorization server.
  Answer Press(const std::string& path, const Answer& page) {
    return Post(path, "proof=" + Between(page.body, R"(name="proof" value=")", "\""), origin());
  }
  // Where a page sends it on; "" = nowhere.
  static std::string Next(const Answer& page) {
    std::string url = Between(page.body, "<a href=\"", "\"");
    for (std::size_t at = 0; (at = url.find("&amp;", at)) != std::string::npos; ++at) {
      url.replace(at, 5, "&");
    }
    return url;
  }
  // From the link to the page that says how it went.
  Answer Connect(const std::string& link, FakeAuthorization& authorization) {
    const std::string path = PathOf(link);
    const Answer page = Get(path);
    const std::string next = Next(Press(path, page));
    if (next.empty()) return page;
    const std::string back = FakeAuthorization::Query(next).at("redirect_uri");
    return Get(PathOf(back) + "?" + authorization.Agree(next));
  }

  static std::string Between(const std::string& text, const std::string& before,
                             const std::string& after) {
    const std::size_t at = text.find(before);
    if (at == std::string::npos) return "";
    const std::size_t from = at + before.size();
    return text.substr(from, text.find(after, from) - from);
  }

  std::string cookie;

 private:
  Answer Send(const std::string& line, const std::string& headers, const std::string& body) {
    Answer answer = ModernClient(port_).Raw(
        line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n" +
        (cookie.empty() ? "" : "Cookie: " + cookie + "\r\n") + headers +
        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto set = answer.headers.find("set-cookie");
    if (set != answer.headers.end()) cookie = set->second.substr(0, set->second.find(';'));
    return answer;
  }

  std::uint16_t port_;
};

}  // namespace switchyard::tests
