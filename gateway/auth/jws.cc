#include "auth/jws.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "auth/strict_json.h"
#include "base/ascii.h"
#include "base/base64url.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

struct Parts {
  std::string_view header, payload, signature, signed_text;
};

Verdict<Parts> Split(std::string_view token) {
  if (token.size() > kMaxToken) {
    return Refuse(Reason::kTooLarge, "the token has " + std::to_string(token.size()) +
                                         " bytes, at most " + std::to_string(kMaxToken));
  }
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) {
    return Refuse(Reason::kMalformed, "not three parts with dots in between");
  }
  const std::string_view signature = token.substr(second + 1);
  if (const auto more = std::ranges::count(signature, '.')) {
    return Refuse(Reason::kMalformed,
                  more == 2 ? "five parts: an encrypted token" : "more than three parts");
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = signature,
               .signed_text = token.substr(0, second)};
}

Verdict<std::string> Decode(std::string_view part, std::string_view what) {
  std::optional<std::string> bytes = DecodeBase64Url(part);
  if (!bytes) {
    return Refuse(Reason::kMalformed, "the " + std::string(what) + " is not base64url");
  }
  return std::move(*bytes);
}

Verdict<json::object> ReadHeader(std::string_view part) {
  Verdict<std::string> text = Decode(part, "header");
  if (!text) return std::unexpected(std::move(text.error()));
  if (text->size() > kMaxHeader) {
    return Refuse(Reason::kTooLarge, "the header has " + std::to_string(text->size()) +
                                         " bytes, at most " + std::to_string(kMaxHeader));
  }
  auto header = ReadObject(*text);
  if (!header) return Refuse(Reason::kMalformed, "the header: " + header.error());
  // What changes how a token is to be read. No extension is understood, so any `crit` is one too
  // many (RFC 7515 section 4.1.11); the other two are such extensions.
  static constexpr std::array<std::string_view, 4> kChanging{"crit", "b64", "zip", "enc"};
  for (const std::string_view key : kChanging) {
    if (header->contains(key)) {
      return Refuse(Reason::kHeader, "the header has " + std::string(key));
    }
  }
  return std::move(*header);
}

// The text of a member that may be absent ("" then) but not empty.
Verdict<std::string> TextIn(const json::object& header, std::string_view key) {
  if (!header.contains(key)) return std::string();
  const json::string* text = StringIn(header, key);
  if (text == nullptr || text->empty()) {
    return Refuse(Reason::kHeader, std::string(key) + " in the header is not a text");
  }
  if (text->size() > kMaxKeyId) {
    return Refuse(Reason::kTooLarge, std::string(key) + " in the header has " +
                                         std::to_string(text->size()) + " bytes, at most " +
                                         std::to_string(kMaxKeyId));
  }
  return std::string(*text);
}

Verdict<Algorithm> AlgorithmIn(const json::object& header) {
  const json::string* name = StringIn(header, "alg");
  if (name == nullptr) return Refuse(Reason::kAlgorithm, "the header has no alg");
  const std::optional<Algorithm> algorithm = AlgorithmOf(*name);
  if (!algorithm) return Refuse(Reason::kAlgorithm, "unknown algorithm " + Shown(*name));
  return *algorithm;
}

}  // namespace

Verdict<Jws> ParseJws(std::string_view token) {
  const Verdict<Parts> parts = Split(token);
  if (!parts) return std::unexpected(parts.error());
  const Verdict<json::object> header = ReadHeader(parts->header);
  if (!header) return std::unexpected(header.error());
  const Verdict<Algorithm> algorithm = AlgorithmIn(*header);
  if (!algorithm) return std::unexpected(algorithm.error());
  Verdict<std::string> key_id = TextIn(*header, "kid");
  if (!key_id) return std::unexpected(std::move(key_id.error()));
  const Verdict<std::string> type = TextIn(*header, "typ");
  if (!type) return std::unexpected(type.error());
  Verdict<std::string> payload = Decode(parts->payload, "payload");
  if (!payload) return std::unexpected(std::move(payload.error()));
  if (parts->signature.empty()) return Refuse(Reason::kSignature, "no signature");
  Verdict<std::string> signature = Decode(parts->signature, "signature");
  if (!signature) return std::unexpected(std::move(signature.error()));

  Jws jws{.algorithm = *algorithm,
          .key_id = std::move(*key_id),
          .type = LowerAscii(*type),
          .signed_text = parts->signed_text,
          .payload = std::move(*payload),
          .signature = std::move(*signature)};
  // A media type may leave its "application/" out (RFC 7515 section 4.1.9).
  if (jws.type.starts_with("application/"))
    jws.type.erase(0, std::string_view("application/").size());
  return jws;
}

std::optional<std::string> UnverifiedIssuer(const Jws& jws) {
  const auto claims = ReadObject(jws.payload);
  if (!claims) return std::nullopt;
  const json::string* issuer = StringIn(*claims, "iss");
  if (issuer == nullptr) return std::nullopt;
  return std::string(*issuer);
}

}  // namespace switchyard::auth
