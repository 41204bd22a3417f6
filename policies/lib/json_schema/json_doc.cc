#include "policies/lib/json_schema/json_doc.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mcp/json_tokens.h"

namespace switchyard::json_schema {
namespace {

unsigned HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

// Four hex digits, which the grammar check has seen.
unsigned HexAt(std::string_view raw, std::size_t at) {
  unsigned code = 0;
  for (std::size_t i = at; i < at + 4; ++i) code = code * 16 + HexDigit(raw[i]);
  return code;
}

void AppendUtf8(std::string& out, unsigned code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// The \u escape at `at` (its backslash), a pair as one; moves `at` behind it.
unsigned TakeUnicode(std::string_view raw, std::size_t& at) {
  const unsigned first = HexAt(raw, at + 2);
  at += 6;
  const bool high = first >= 0xD800 && first < 0xDC00;
  if (!high || raw.size() - at < 6 || raw[at] != '\\' || raw[at + 1] != 'u') return first;
  const unsigned second = HexAt(raw, at + 2);
  if (second < 0xDC00 || second > 0xDFFF) return first;
  at += 6;
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

char Unescaped(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

}  // namespace

// Reads tokens as a machine, with a stack of open containers instead of recursion.
class JsonDoc::Builder {
 public:
  Builder(JsonDoc& doc, const mcp::JsonTokens& tokens, std::string_view text)
      : doc_(doc), tokens_(tokens) {
    doc_.text_ = text;
  }

  std::string_view Build() {  // "" = well-formed
    while (i_ < tokens_.size()) {
      const std::string_view fault = Step(tokens_.at(i_));
      if (!fault.empty()) return fault;
      ++i_;
    }
    return depth_ == 0 && want_ == Want::kCommaOrEnd ? "" : "it ends too early";
  }

 private:
  enum class Want : std::uint8_t { kValue, kValueOrEnd, kKey, kKeyOrEnd, kCommaOrEnd };

  bool InObject() const { return doc_.values_[open_[depth_ - 1]].kind == Kind::kObject; }

  std::string_view Step(char c) {
    const bool ends = (c == '}' || c == ']') && want_ != Want::kValue && want_ != Want::kKey;
    if (ends) return Close(c);
    if (want_ == Want::kCommaOrEnd) {
      if (c != ',' || depth_ == 0) return "a comma is missing";
      want_ = InObject() ? Want::kKey : Want::kValue;
      return {};
    }
    if (want_ == Want::kKey || want_ == Want::kKeyOrEnd) {
      if (c != '"' || i_ + 1 == tokens_.size() || tokens_.at(i_ + 1) != ':')
        return "a key is missing";
      ++doc_.values_[open_[depth_ - 1]].count;
      const std::string_view fault = Scalar();
      ++i_;
      want_ = Want::kValue;
      return fault;
    }
    if (depth_ > 0 && !InObject()) ++doc_.values_[open_[depth_ - 1]].count;
    if (c == '{' || c == '[') return Open(c);
    want_ = Want::kCommaOrEnd;
    return Scalar();
  }

  std::string_view Open(char c) {
    if (depth_ == kMaxDepth) return kTooDeep;
    open_[depth_++] = static_cast<std::uint32_t>(doc_.values_.size());
    doc_.values_.push_back(
        {.begin = tokens_.begin(i_), .kind = c == '{' ? Kind::kObject : Kind::kArray});
    want_ = c == '{' ? Want::kKeyOrEnd : Want::kValueOrEnd;
    return {};
  }

  std::string_view Close(char c) {
    if (depth_ == 0 || InObject() != (c == '}')) return "brackets do not match";
    Value& value = doc_.values_[open_[--depth_]];
    value.end = tokens_.begin(i_) + 1;
    value.after = static_cast<std::uint32_t>(doc_.values_.size());
    want_ = Want::kCommaOrEnd;
    return {};
  }

  std::string_view Scalar() {
    Value value{.begin = tokens_.begin(i_), .end = tokens_.EndBefore(i_ + 1)};
    value.after = static_cast<std::uint32_t>(doc_.values_.size()) + 1;
    const std::string_view raw = doc_.text_.substr(value.begin, value.end - value.begin);
    bool good = true;
    switch (raw.front()) {
      case '"':
        value.kind = Kind::kString;
        value.escaped = raw.contains('\\');
        good =
            raw.size() >= 2 && raw.back() == '"' && (!value.escaped || mcp::HasValidEscapes(raw));
        break;
      case 't': value.kind = Kind::kTrue, good = raw == "true"; break;
      case 'f': value.kind = Kind::kFalse, good = raw == "false"; break;
      case 'n': value.kind = Kind::kNull, good = raw == "null"; break;
      default: value.kind = Kind::kNumber, good = mcp::IsJsonNumber(raw); break;
    }
    doc_.values_.push_back(value);
    return good ? "" : "a value is malformed";
  }

  JsonDoc& doc_;
  const mcp::JsonTokens& tokens_;
  std::size_t i_ = 0;
  std::size_t depth_ = 0;
  Want want_ = Want::kValue;
  std::array<std::uint32_t, kMaxDepth> open_;
};

JsonDoc::Read JsonDoc::Parse(std::string_view text) {
  Read doc;
  const auto tokens = mcp::JsonTokens::Find(text);
  const std::string_view fault = tokens ? Builder(*doc, *tokens, text).Build() : tokens.error();
  if (!fault.empty()) doc = std::unexpected(fault);
  return doc;
}

std::string_view JsonDoc::Text(std::uint32_t i, std::string& scratch) const {
  const std::string_view raw = Raw(i).substr(1, Raw(i).size() - 2);
  if (!values_[i].escaped) return raw;
  scratch.clear();
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\') {
      scratch += raw[at++];
    } else if (raw[at + 1] == 'u') {
      AppendUtf8(scratch, TakeUnicode(raw, at));
    } else {
      scratch += Unescaped(raw[at + 1]);
      at += 2;
    }
  }
  return scratch;
}

std::uint32_t JsonDoc::Find(std::uint32_t object, std::string_view key) const {
  if (values_[object].kind != Kind::kObject) return 0;
  std::string scratch;
  std::uint32_t found = 0;
  for (std::uint32_t i = object + 1; i < values_[object].after; i = values_[i + 1].after) {
    if (Text(i, scratch) == key) found = i + 1;
  }
  return found;
}

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace switchyard::json_schema
