#include "mcp/scan.h"

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <utility>

#include "mcp/message.h"

namespace switchyard::mcp {
namespace {

// Reads forward over one text; every Skip answers false at a surprise and at the end.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  std::string_view From(std::size_t begin) const { return text_.substr(begin, at_ - begin); }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool Take(char wanted) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

  bool SkipString() {
    if (!Take('"')) return false;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\') ++at_;
    }
    at_ = text_.size();
    return false;
  }

  bool SkipValue() {
    SkipSpace();
    if (at_ == text_.size()) return false;
    if (text_[at_] == '"') return SkipString();
    if (text_[at_] == '{' || text_[at_] == '[') return SkipContainer();
    const std::size_t begin = at_;
    while (at_ < text_.size() && IsScalarByte(text_[at_])) ++at_;
    return at_ > begin;
  }

 private:
  static bool IsScalarByte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
  }

  bool SkipContainer() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!SkipString()) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Span SpanOf(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

std::optional<Field> ReadField(Scanner& scanner) {
  Field field;
  scanner.SkipSpace();
  const std::size_t begin = scanner.at();
  if (!scanner.SkipString()) return std::nullopt;
  const std::string_view raw_key = scanner.From(begin);
  if (raw_key.contains('\\')) {
    std::optional<std::string> key = Unquote(raw_key);
    if (!key) return std::nullopt;
    field.key = std::move(*key);
  } else {
    field.key = raw_key.substr(1, raw_key.size() - 2);
  }
  if (!scanner.Take(':')) return std::nullopt;
  scanner.SkipSpace();
  const std::size_t value = scanner.at();
  if (!scanner.SkipValue()) return std::nullopt;
  field.value = scanner.From(value);
  field.whole = scanner.From(begin);
  field.at = {.whole = SpanOf(begin, scanner.at()), .value = SpanOf(value, scanner.at())};
  return field;
}

}  // namespace

std::optional<Fields> MembersOf(std::string_view object) {
  Fields fields;
  Scanner scanner(object);
  if (!scanner.Take('{')) return std::nullopt;
  if (scanner.Take('}')) return scanner.AtEnd() ? std::optional(std::move(fields)) : std::nullopt;
  do {
    std::optional<Field> field = ReadField(scanner);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  } while (scanner.Take(','));
  if (!scanner.Take('}') || !scanner.AtEnd()) return std::nullopt;
  return fields;
}

std::optional<std::vector<std::string_view>> ElementsOf(std::string_view array) {
  std::vector<std::string_view> elements;
  Scanner scanner(array);
  if (!scanner.Take('[')) return std::nullopt;
  if (scanner.Take(']')) return scanner.AtEnd() ? std::optional(std::move(elements)) : std::nullopt;
  do {
    scanner.SkipSpace();
    const std::size_t begin = scanner.at();
    if (!scanner.SkipValue()) return std::nullopt;
    elements.push_back(scanner.From(begin));
  } while (scanner.Take(','));
  if (!scanner.Take(']') || !scanner.AtEnd()) return std::nullopt;
  return elements;
}

const Field* Find(const Fields& fields, std::string_view key) {
  const auto found = std::ranges::find(fields, key, &Field::key);
  return found == fields.end() ? nullptr : &*found;
}

std::string_view DuplicateKey(const Fields& fields) {
  // Definitions have a handful of members; only a stranger's flood gets the set.
  if (fields.size() > 32) {
    std::unordered_set<std::string_view> seen;
    for (const Field& field : fields) {
      if (!seen.insert(field.key).second) return field.key;
    }
    return {};
  }
  for (std::size_t i = 1; i < fields.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fields[i].key == fields[j].key) return fields[i].key;
    }
  }
  return {};
}

}  // namespace switchyard::mcp
