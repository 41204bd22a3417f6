#include "credentials/oauth/token.h"

#include <algorithm>
#include <array>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "auth/strict_json.h"
#include "base/http/fields.h"
#include "credentials/oauth/answer.h"
#include "credentials/oauth/challenge.h"

namespace switchyard::credentials::oauth {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::size_t kMostToken = 16 * 1024;
constexpr std::int64_t kMostLife = 10LL * 365 * 24 * 3600;
constexpr std::size_t kShown = 256;

// RFC 6749 section 5.2, RFC 8707 section 2, RFC 8693 section 2.2.2: words that are safe to repeat.
constexpr std::array<std::string_view, 9> kErrors = {
    "invalid_request",        "invalid_client", "invalid_grant",
    "unauthorized_client",    "invalid_scope",  "invalid_target",
    "unsupported_grant_type", "server_error",   "temporarily_unavailable"};

// What goes into a header must end neither it nor the line.
bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= kMostToken &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// Some send it as a string.
std::optional<std::int64_t> SecondsIn(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return kMostLife;
  if (value->is_double()) {
    const double number = value->get_double();
    if (number <= 0) return 0;
    return number < static_cast<double>(kMostLife) ? static_cast<std::int64_t>(number) : kMostLife;
  }
  const json::string* text = value->if_string();
  if (text == nullptr || text->empty() || text->size() > 10) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// What the endpoint says for people, as far as it may be written into a log.
std::string Shown(const json::object& object, const std::vector<std::string>& secrets) {
  std::string text = TextIn(object, "error");
  const std::string more = TextIn(object, "error_description");
  if (!more.empty()) text += (text.empty() ? "" : ": ") + more;
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
  }
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text.substr(0, kShown);
}

Error Refused(int status, const std::string& body, const std::vector<std::string>& secrets) {
  Error error{.code = status >= 500 ? Code::kUnavailable : Code::kProtocol,
              .origin = Origin::kServer,
              .message = "the token endpoint answered " + std::to_string(status)};
  const auto object = auth::ReadObject(body);
  if (!object) return error;
  error.detail = Shown(*object, secrets);
  const std::string word = TextIn(*object, "error");
  if (std::ranges::find(kErrors, word) == kErrors.end()) return error;
  error.message += " " + word;
  if (word == "invalid_grant" || word == "invalid_client" || word == "unauthorized_client") {
    error.code = Code::kUnauthenticated;
  }
  return error;
}

}  // namespace

Result<Token> ReadTokenResponse(int status, const std::string& body,
                                const std::vector<std::string>& asked, WallTime now,
                                const std::vector<std::string>& secrets) {
  if (status != 200) return Failure(Refused(status, body, secrets));
  const auto object = auth::ReadObject(body);
  if (!object) return BadAnswer("the token endpoint's answer is " + object.error());
  const json::value* refused = object->if_contains("error");
  if (refused != nullptr && !refused->is_null()) return Failure(Refused(status, body, secrets));
  Token token{.access = TextIn(*object, "access_token"),
              .refresh = TextIn(*object, "refresh_token")};
  if (!IsToken(token.access)) {
    return BadAnswer("the token endpoint's answer has no usable access_token");
  }
  if (!token.refresh.empty() && !IsToken(token.refresh)) token.refresh.clear();
  const std::string type = TextIn(*object, "token_type");
  if (!http::EqualsIgnoreCase(type, "Bearer")) {
    return BadAnswer("the token endpoint's answer is no Bearer token");
  }
  if (const auto life = SecondsIn(*object, "expires_in")) {
    // One that never was good is nothing that anybody means by it; a server says when it is over.
    if (*life > 0) token.expires = now + seconds(std::min(*life, kMostLife));
  }
  token.scopes = object->contains("scope") ? SplitScopes(TextIn(*object, "scope")) : asked;
  return token;
}

Result<std::string> ReadIdTokenResponse(int status, const std::string& body, WallTime now,
                                        const std::vector<std::string>& secrets) {
  const Result<Token> token = ReadTokenResponse(status, body, {}, now, secrets);
  if (!token) return Failure(token.error());
  const auto object = auth::ReadObject(body);
  std::string text = object ? TextIn(*object, "id_token") : "";
  if (!IsToken(text)) {
    return BadAnswer(
        "the token endpoint's answer has no id_token, so it is none of OpenID Connect");
  }
  return text;
}

std::string TokenText(const Token& token) {
  json::object object{{"access", token.access}, {"refresh", token.refresh}};
  if (token.expires) {
    object["expires"] =
        std::chrono::duration_cast<seconds>(token.expires->time_since_epoch()).count();
  }
  object["scope"] = JoinScopes(token.scopes);
  return json::serialize(object);
}

std::optional<Token> ReadTokenText(const std::string& text) {
  const auto object = auth::ReadObject(text);
  if (!object) return std::nullopt;
  Token token{.access = TextIn(*object, "access"), .refresh = TextIn(*object, "refresh")};
  if (!IsToken(token.access)) return std::nullopt;
  const json::value* expires = object->if_contains("expires");
  if (expires != nullptr && expires->is_int64()) {
    token.expires = WallTime(seconds(std::clamp<std::int64_t>(expires->get_int64(), 0, 1LL << 33)));
  }
  token.scopes = SplitScopes(TextIn(*object, "scope"));
  return token;
}

WallTime RefreshAt(WallTime got, WallTime expires) {
  const auto life = expires - got;
  if (life <= seconds(20)) return got + life / 2;
  return expires - std::clamp<WallTime::duration>(life / 10, seconds(10), seconds(300));
}

}  // namespace switchyard::credentials::oauth
