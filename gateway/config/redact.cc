#include "config/redact.h"

#include <algorithm>
#include <array>

#include "config/remembered.h"

namespace switchyard::config {
namespace {

// Of a flag, a variable or a header whose value is nobody's business.
bool IsTelling(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWords = {
      "token", "secret", "passw", "pwd", "apikey", "credential", "authoriz", "bearer", "cookie"};
  std::string plain;  // api-key, API_KEY and apiKey alike
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    if (c != '-' && c != '_') plain += c;
  }
  return plain.ends_with("key") || plain.ends_with("auth") ||
         std::ranges::any_of(kWords, [&](auto word) { return plain.contains(word); });
}

std::string RedactQuery(std::string_view query) {
  std::string out;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) out.append(pair.substr(0, equals + 1));
    out += Secret::kMask;
    if (end == std::string_view::npos) return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

// Where the user info ends, or 0. A password with an unescaped / or ? in it moves the end of what
// reads as the authority, so an @ further on counts when what stands before it is no host:port.
std::size_t UserInfoLength(std::string_view rest) {
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) return at;
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos || authority.starts_with('[')) return 0;
  const std::string_view port = authority.substr(colon + 1);
  if (port.find_first_not_of("0123456789") == std::string_view::npos) return 0;
  at = rest.rfind('@');
  return at == std::string_view::npos ? 0 : at;
}

}  // namespace

std::string RedactUrl(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::string(text);
  std::string out(text.substr(0, scheme + 3));
  std::string_view rest = text.substr(scheme + 3);
  if (const std::size_t length = UserInfoLength(rest); length > 0) {
    out += Secret::kMask;
    rest.remove_prefix(length);
  }
  const std::size_t fragment = rest.find('#');
  const std::string_view before = rest.substr(0, fragment);
  const std::size_t query = before.find('?');
  out.append(before.substr(0, query));
  if (query != std::string_view::npos) out += "?" + RedactQuery(before.substr(query + 1));
  if (fragment != std::string_view::npos) out.append("#").append(Secret::kMask);
  return out;
}

std::vector<std::string> RedactArgs(const std::vector<Secret>& args) {
  std::vector<std::string> out;
  bool hide_next = false;
  for (const Secret& arg : args) {
    const std::string& text = arg.Shown();
    if (hide_next) {
      out.emplace_back(Secret::kMask);
      hide_next = false;
      continue;
    }
    const std::size_t split = text.find_first_of("=:");
    const bool telling = IsTelling(std::string_view(text).substr(0, split));
    hide_next = text.starts_with('-') && telling && split == std::string::npos;
    if (telling && split != std::string::npos) {
      out.push_back(text.substr(0, split + 1) + Secret::kMask);
    } else {
      out.push_back(RedactUrl(text));
    }
  }
  return out;
}

void HideExpanded(boost::json::value& value, const Remembered& expanded) {
  if (value.is_string()) {
    value = expanded.Hide(value.get_string(), Text::kValue);
  } else if (value.is_array()) {
    for (boost::json::value& item : value.get_array()) HideExpanded(item, expanded);
  } else if (value.is_object()) {
    for (auto& [key, member] : value.get_object()) HideExpanded(member, expanded);
  }
}

}  // namespace switchyard::config
