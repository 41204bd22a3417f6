#include "pins/definition.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/digest.h"
#include "mcp/json_string.h"
#include "mcp/json_tokens.h"
#include "mcp/scan.h"
#include "pins/characters.h"

namespace switchyard::pins {
namespace {

constexpr std::array<std::string_view, kKinds> kWords = {"tool", "prompt", "resource", "template",
                                                         "instructions"};
// Sorted, as canonical members are.
constexpr std::array<std::string_view, 6> kToolKeys = {"annotations", "description",  "inputSchema",
                                                       "name",        "outputSchema", "title"};
constexpr std::array<std::string_view, 4> kPromptKeys = {"arguments", "description", "name",
                                                         "title"};
constexpr std::array<std::string_view, 5> kResourceKeys = {"description", "mimeType", "name",
                                                           "title", "uri"};
constexpr std::array<std::string_view, 5> kTemplateKeys = {"description", "mimeType", "name",
                                                           "title", "uriTemplate"};

std::span<const std::string_view> KeysOf(Kind kind) {
  switch (kind) {
    case Kind::kTool: return kToolKeys;
    case Kind::kPrompt: return kPromptKeys;
    case Kind::kResource: return kResourceKeys;
    default: return kTemplateKeys;
  }
}

bool Append(std::string_view raw, int depth, std::string& out);

bool AppendString(std::string_view raw, std::string& out) {
  const std::optional<std::string> text = mcp::Unquote(raw);
  if (!text) return false;
  out += mcp::Quote(*text);
  return true;
}

bool AppendObject(std::string_view raw, int depth, std::string& out) {
  std::optional<mcp::Fields> fields = mcp::MembersOf(raw);
  if (!fields) return false;
  std::ranges::sort(*fields, {}, &mcp::Field::key);
  out += '{';
  const std::string* before = nullptr;
  for (const mcp::Field& field : *fields) {
    if (before != nullptr && *before == field.key) return false;
    if (before != nullptr) out += ',';
    out.append(mcp::Quote(field.key)).append(":");
    if (!Append(field.value, depth - 1, out)) return false;
    before = &field.key;
  }
  out += '}';
  return true;
}

bool Append(std::string_view raw, int depth, std::string& out) {
  if (depth == 0 || raw.empty()) return false;
  if (mcp::IsString(raw)) return AppendString(raw, out);
  if (mcp::IsObject(raw)) return AppendObject(raw, depth, out);
  if (!mcp::IsArray(raw)) {
    // Not all that servers send is JSON: NaN, for one.
    const bool word = raw == "true" || raw == "false" || raw == "null";
    if (!word && !mcp::IsJsonNumber(raw)) return false;
    out += raw;
    return true;
  }
  const auto elements = mcp::ElementsOf(raw);
  if (!elements) return false;
  out += '[';
  for (const std::string_view& element : *elements) {
    if (&element != elements->data()) out += ',';
    if (!Append(element, depth - 1, out)) return false;
  }
  out += ']';
  return true;
}

Definition Hashed(std::string text, bool canonical) {
  // The two writings must not meet in one hash.
  std::string hash = Sha256(canonical ? text : "raw " + text);
  return {.text = std::move(text), .hash = std::move(hash), .canonical = canonical};
}

// One code point in a JSON string.
void AppendEscaped(char32_t c, std::string& out) {
  if (c < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    return;
  }
  const unsigned v = static_cast<unsigned>(c) - 0x10000;
  out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (v >> 10), 0xDC00 + (v & 0x3FF));
}

}  // namespace

std::string_view Word(Kind kind) { return kWords[static_cast<std::size_t>(kind)]; }

std::optional<Kind> KindOf(std::string_view word) {
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<Kind>(found - kWords.begin());
}

std::optional<std::string> CanonicalJson(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  if (!Append(raw, kDeepest, out)) return std::nullopt;
  return out;
}

Definition DefinitionOf(Kind kind, std::string_view item) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(item);
  if (!fields || !mcp::DuplicateKey(*fields).empty()) return Hashed(std::string(item), false);
  std::string out = "{";
  for (const std::string_view key : KeysOf(kind)) {
    const mcp::Field* field = mcp::Find(*fields, key);
    if (field == nullptr) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(key).append("\":");
    if (!Append(field->value, kDeepest - 1, out)) return Hashed(std::string(item), false);
  }
  return Hashed(out + "}", true);
}

Definition InstructionsOf(std::string_view text) { return Hashed(mcp::Quote(text), true); }

Definition KeptDefinition(std::string text, bool canonical) {
  return Hashed(std::move(text), canonical);
}

std::string PrettyJson(std::string_view canonical, std::size_t indent) {
  std::string out;
  std::size_t depth = 0;
  const auto line = [&] { out.append("\n").append(indent + 2 * depth, ' '); };
  bool quoted = false;
  for (std::size_t at = 0; at < canonical.size();) {
    const CodePoint c = FirstOf(canonical.substr(at));
    const std::string_view bytes = canonical.substr(at, c.size);
    at += c.size;
    if (quoted) {
      if (c.value == '\\' && at < canonical.size()) {
        out.append(bytes).append(1, canonical[at++]);
        continue;
      }
      if (c.value == '"') quoted = false;
      NeedsEscape(c.value) ? AppendEscaped(c.value, out) : void(out.append(bytes));
      continue;
    }
    const bool opens = c.value == '{' || c.value == '[';
    const bool closes = c.value == '}' || c.value == ']';
    if (closes && depth > 0) {
      --depth;
      if (!out.ends_with('{') && !out.ends_with('[')) line();
    }
    out.append(bytes);
    if (c.value == '"') quoted = true;
    if (c.value == ':') out += ' ';
    if (opens) ++depth;
    const bool empty = at < canonical.size() && (canonical[at] == '}' || canonical[at] == ']');
    if (c.value == ',' || (opens && !empty)) line();
  }
  return out;
}

std::string Visible(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = FirstOf(text.substr(at));
    if (c.value == '\n' || c.value == '\t' || c.value == '\r') {
      out += ' ';
    } else if (!c.valid || NeedsEscape(c.value)) {
      out += fmt::format("\\u{{{:04X}}}", static_cast<unsigned>(c.value));
    } else {
      out.append(text.substr(at, c.size));
    }
    at += c.size;
  }
  return out;
}

}  // namespace switchyard::pins
