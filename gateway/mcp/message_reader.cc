#include "mcp/message_reader.h"

#include <charconv>
#include <utility>

namespace switchyard::mcp {
namespace {

// `\/` is the one escape that common encoders write into keys (PHP's json_encode does by default).
bool OnlySlashEscapes(std::string_view name) {
  for (std::size_t at = name.find('\\'); at != std::string_view::npos; at = name.find('\\', at)) {
    if (at + 1 == name.size() || name[at + 1] != '/') return false;
    at += 2;
  }
  return true;
}

bool IsString(std::string_view raw) { return raw.starts_with('"'); }
bool IsObject(std::string_view raw) { return raw.starts_with('{'); }
bool IsId(std::string_view raw) {
  return IsString(raw) ? HasValidEscapes(raw) : IsJsonInteger(raw);
}

template <class Places>
bool Place(Places& places, std::size_t index, Span key, Span value) {
  auto& place = places[index];
  if (place.present()) return false;
  place = {.begin = key.begin, .value = value.begin, .end = value.end};
  return true;
}

}  // namespace

Reader::Reader(Message::Body& message, const JsonTokens& tokens)
    : message_(message),
      tokens_(tokens),
      any_escape_(message.bytes.find('\\') != std::string::npos) {}

void Reader::Fault(std::string_view what) {
  if (fault_.empty()) fault_ = what;
}

void Reader::DuplicateFault(std::string_view name) {
  if (fault_.empty()) fault_.append("member ").append(name).append(" is given twice");
}

bool Reader::SyntaxFault(std::size_t token) {
  fault_ = "unexpected content at byte " + std::to_string(tokens_.begin(token));
  return false;
}

bool Reader::DecodeName(Field& field, std::string& scratch) {
  if (!any_escape_ || field.name.find('\\') == std::string_view::npos) return true;
  const bool harmless = OnlySlashEscapes(field.name);
  const Span key = field.key;
  if (!HasValidEscapes(Text(key))) return false;
  // Half a surrogate pair is in no known name.
  scratch = Unquote(Text(key)).value_or(std::string());
  field.name = scratch;
  if (harmless) return true;
  escaped_other_ = true;
  escaped_known_ =
      escaped_known_ || FindTopKey(scratch) || FindKey(scratch) || FindMetaKey(scratch);
  return true;
}

template <class Take>
std::size_t Reader::ForEachField(std::size_t i, int depth, Take take) {
  const auto fail = [this](std::size_t token) { return SyntaxFault(token), std::size_t{0}; };
  if (tokens_.at(++i) == '}') return i + 1;
  std::string scratch;
  while (true) {
    if (tokens_.at(i) != '"' || tokens_.at(i + 1) != ':') return fail(i);
    const std::size_t value = i + 2;
    const std::size_t next = tokens_.Skip(value, Message::kMaxDepth - depth);
    if (next == 0) return fail(value < tokens_.size() ? value : tokens_.size());
    Field field{.name = {},
                .key = {tokens_.begin(i), tokens_.EndBefore(i + 1)},
                .value = {tokens_.begin(value), tokens_.EndBefore(next)},
                .value_token = value};
    field.name = Text({field.key.begin + 1, field.key.end - 1});
    if (!DecodeName(field, scratch)) return fail(i);
    if (!take(field)) return 0;
    if (tokens_.at(next) == '}') return next + 1;
    if (tokens_.at(next) != ',') return fail(next);
    i = next + 1;
  }
}

bool Reader::ReadEnvelope() {
  const std::size_t end =
      ForEachField(0, /*depth=*/1, [this](const Field& field) { return TakeTop(field); });
  if (end == 0) return false;
  if (end != tokens_.size()) return SyntaxFault(end);
  JudgeKind();
  return true;
}

bool Reader::TakeTop(const Field& field) {
  const auto key = FindTopKey(field.name);
  if (!key) {
    folded_ = folded_ || IsFoldedTopKey(FoldKey(field.name));
    return true;
  }
  if (seen(*key)) {
    duplicate_id_ = duplicate_id_ || *key == TopKey::kId;
    DuplicateFault(field.name);
    return true;
  }
  seen_ |= 1u << static_cast<unsigned>(*key);
  return ReadValue(*key, field);
}

bool Reader::ReadValue(TopKey key, const Field& field) {
  switch (key) {
    case TopKey::kJsonRpc:
      if (Text(field.value) != "\"2.0\"") Fault("jsonrpc must be \"2.0\"");
      return true;
    case TopKey::kId: message_.id = field.value; return true;
    case TopKey::kMethod: ReadMethod(field); return true;
    case TopKey::kParams: message_.params = field.value; return ReadInner(field);
    case TopKey::kResult: message_.result = field.value; return ReadInner(field);
    case TopKey::kError: message_.error = field.value; return ReadError(field);
    case TopKey::kCount: break;
  }
  return true;
}

void Reader::ReadMethod(const Field& field) {
  const std::string_view raw = Text(field.value);
  if (!IsString(raw)) return Fault("method must be a string");
  message_.method_name = {field.value.begin + 1, field.value.end - 1};
  std::string_view name = Text(message_.method_name);
  std::optional<std::string> decoded;
  if (any_escape_ && name.find('\\') != std::string_view::npos) {
    decoded = Unquote(raw);
    if (!decoded) return Fault("method is not readable text");
    name = *decoded;
  }
  if (name.empty()) return Fault("method must not be empty");
  message_.method = FindMethod(name).method;
}

bool Reader::ReadInner(const Field& field) {
  if (!IsObject(Text(field.value))) {
    Fault(std::string(field.name) + " must be an object");
    return true;
  }
  return ForEachField(field.value_token, /*depth=*/2,
                      [this](const Field& inner) { return TakeInner(inner); }) != 0;
}

bool Reader::TakeInner(const Field& field) {
  const auto key = FindKey(field.name);
  if (!key) {
    folded_ = folded_ || IsFoldedKey(FoldKey(field.name));
    return true;
  }
  if (!Place(message_.members, static_cast<std::size_t>(*key), field.key, field.value)) {
    DuplicateFault(field.name);
    return true;
  }
  if (*key != Key::kMeta) return true;
  const std::string_view raw = Text(field.value);
  if (raw == "null") return true;  // what some encoders make of a missing one
  if (!IsObject(raw)) {
    Fault("_meta must be an object");
    return true;
  }
  return ForEachField(field.value_token, /*depth=*/3,
                      [this](const Field& inner) { return TakeMeta(inner); }) != 0;
}

bool Reader::TakeMeta(const Field& field) {
  const auto key = FindMetaKey(field.name);
  if (key && !Place(message_.meta, static_cast<std::size_t>(*key), field.key, field.value)) {
    DuplicateFault(field.name);
  }
  return true;
}

bool Reader::ReadError(const Field& field) {
  if (!IsObject(Text(field.value))) {
    Fault("error must be an object");
    return true;
  }
  bool has_code = false;
  const std::size_t end = ForEachField(field.value_token, /*depth=*/2, [&](const Field& inner) {
    return TakeErrorField(inner, has_code);
  });
  if (end != 0 && !has_code) Fault("error.code must be an integer");
  return end != 0;
}

bool Reader::TakeErrorField(const Field& field, bool& has_code) {
  if (field.name != "code") return true;
  if (has_code) {
    DuplicateFault("code");
    return true;
  }
  const std::string_view raw = Text(field.value);
  const auto [end, problem] =
      std::from_chars(raw.data(), raw.data() + raw.size(), message_.error_code);
  has_code = IsJsonInteger(raw) && problem == std::errc() && end == raw.data() + raw.size();
  return true;
}

void Reader::JudgeKind() {
  if (!seen(TopKey::kJsonRpc)) Fault("jsonrpc is missing");
  if (escaped_known_) Fault("the name of a member is written with escapes");
  const int kinds = seen(TopKey::kMethod) + seen(TopKey::kResult) + seen(TopKey::kError);
  if (kinds == 0) return Fault("one of method, result and error is needed");
  if (kinds > 1) return Fault("only one of method, result and error may be given");
  if (seen(TopKey::kMethod)) {
    JudgeRequest();
  } else {
    JudgeResponse();
  }
}

void Reader::JudgeRequest() {
  message_.kind = seen(TopKey::kId) ? Kind::kRequest : Kind::kNotification;
  if (escaped_other_) Fault("the name of a member is written with escapes");
  if (folded_) Fault("the name of a member differs from a known one in case alone");
  if (seen(TopKey::kId) && !IsId(Text(message_.id))) Fault("id must be a string or an integer");
}

void Reader::JudgeResponse() {
  message_.kind = seen(TopKey::kError) ? Kind::kError : Kind::kResult;
  if (seen(TopKey::kParams)) Fault("params have no place in a response");
  const std::string_view id = Text(message_.id);
  if (message_.kind == Kind::kError && (!seen(TopKey::kId) || id == "null")) return;
  if (!seen(TopKey::kId)) return Fault("id is missing");
  if (!IsId(id)) Fault("id must be a string or an integer");
}

bool Reader::id_is_readable() const {
  return seen(TopKey::kId) && !duplicate_id_ && IsId(Text(message_.id));
}

}  // namespace switchyard::mcp
