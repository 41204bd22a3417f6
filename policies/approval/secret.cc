#include "policies/approval/secret.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "policies/lib/guardrail_chars.h"

namespace switchyard::policies::approval {
namespace {

using namespace guardrail;

constexpr std::size_t kFullLine = 16;  // only the last line of a key may be shorter
constexpr std::string_view kDashes = "-----", kBegin = "-----BEGIN ", kEnd = "-----END ";

// Behind a line end, also one that is written out as in JSON within a text; nullopt: there is none.
std::optional<std::size_t> PastLineEnd(std::string_view text, std::size_t at) {
  const std::size_t from = at;
  for (;;) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with('\n') || rest.starts_with('\r')) {
      ++at;
    } else if (rest.starts_with("\\n") || rest.starts_with("\\r")) {
      at += 2;
    } else {
      return at == from ? std::nullopt : std::optional(at);
    }
  }
}

bool IsLabel(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return Is(c, kUpper | kDigit) || c == ' '; });
}

// The end of `Proc-Type: 4,ENCRYPTED` or `DEK-Info: AES-256-CBC,0F...` at `at`; at: there is none.
std::size_t HeaderEnd(std::string_view text, std::size_t at) {
  for (const std::string_view name : {"Proc-Type: ", "DEK-Info: "}) {
    if (!text.substr(at).starts_with(name)) continue;
    std::size_t end = at + name.size();
    while (end < text.size() && (Is(text[end], kUpper | kDigit | kDash) || text[end] == ',')) ++end;
    return end;
  }
  return at;
}

bool IsKeyAlone(std::string_view text) {
  std::size_t at = kBegin.size();
  const std::size_t label_end = text.find(kDashes, at);
  if (label_end == std::string_view::npos) return false;
  const std::string_view label = text.substr(at, label_end - at);
  if (!IsLabel(label)) return false;
  at = PastLineEnd(text, label_end + kDashes.size()).value_or(label_end + kDashes.size());
  bool was_short = false;
  while (at < text.size()) {
    if (text.substr(at).starts_with(kEnd)) {
      const std::string_view end = text.substr(at + kEnd.size());
      return end.size() == label.size() + kDashes.size() && end.starts_with(label) &&
             end.ends_with(kDashes);
    }
    if (was_short) return false;
    std::size_t end = HeaderEnd(text, at);
    if (end == at) {
      end = RunEnd(text, at, kBase64);
      was_short = end - at < kFullLine;
    }
    const std::optional<std::size_t> next = PastLineEnd(text, end);
    if (end == at || (!next && end < text.size() && !text.substr(end).starts_with(kEnd))) {
      return false;
    }
    at = next.value_or(end);
  }
  return true;  // the rest of it is elsewhere
}

bool IsWord(std::string_view text) {
  constexpr std::string_view kMore = "\"'`\\$;&|<>(){}[]";
  return std::ranges::all_of(text, [&](char c) {
    return c > ' ' && c < '\x7f' && kMore.find(c) == std::string_view::npos;
  });
}

}  // namespace

bool IsAllSecret(DetectorId detector, std::string_view text) {
  const bool pem = detector == IdOf(Detector::kPrivateKey) && text.starts_with(kBegin);
  return pem ? IsKeyAlone(text) : IsWord(text);
}

}  // namespace switchyard::policies::approval
