#include "catalog/uri_template.h"

#include <cstddef>
#include <utility>

namespace switchyard::catalog {
namespace {

constexpr std::size_t kMaxParts = 64;
constexpr std::size_t kMaxUri = 8192;

// The positions up to which a prefix of the template can have matched.
using Positions = std::vector<char>;

Positions AfterLiteral(const Positions& from, std::string_view uri, std::string_view literal) {
  Positions to(from.size(), 0);
  for (std::size_t i = 0; i + literal.size() < from.size(); ++i) {
    if (from[i] && uri.substr(i, literal.size()) == literal) to[i + literal.size()] = 1;
  }
  return to;
}

Positions AfterVariable(const Positions& from, std::string_view uri, bool stop_at_slash) {
  Positions to(from.size(), 0);
  bool open = false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i > 0 && stop_at_slash && uri[i - 1] == '/') open = false;
    open = open || from[i];
    to[i] = open;
  }
  return to;
}

}  // namespace

std::optional<UriTemplate> UriTemplate::Parse(std::string_view text) {
  UriTemplate result;
  while (!text.empty()) {
    if (result.parts_.size() == kMaxParts) return std::nullopt;
    const std::size_t brace = text.find_first_of("{}");
    if (brace != 0) {
      result.parts_.push_back({Part::kLiteral, std::string(text.substr(0, brace))});
      text.remove_prefix(std::min(brace, text.size()));
      continue;
    }
    const std::size_t close = text.find('}');
    if (text[0] == '}' || close == std::string_view::npos || close == 1) return std::nullopt;
    const char first = text[1];
    const bool plain = first == '_' || first == '%' || (first >= '0' && first <= '9') ||
                       (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    // An exploded or listed variable (`{a,b}`, `{a*}`) stays within a segment as well.
    result.parts_.push_back({plain ? Part::kSegment : Part::kAnything, {}});
    text.remove_prefix(close + 1);
  }
  return result;
}

bool UriTemplate::Matches(std::string_view uri) const {
  if (uri.size() > kMaxUri) return false;
  if (!parts_.empty() && parts_[0].kind == Part::kLiteral && !uri.starts_with(parts_[0].literal)) {
    return false;  // nearly always decided here
  }
  Positions reached(uri.size() + 1, 0);
  reached[0] = 1;
  for (const Part& part : parts_) {
    reached = part.kind == Part::kLiteral
                  ? AfterLiteral(reached, uri, part.literal)
                  : AfterVariable(reached, uri, part.kind == Part::kSegment);
  }
  return reached[uri.size()] != 0;
}

}  // namespace switchyard::catalog
