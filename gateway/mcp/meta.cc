#include "mcp/meta.h"

#include <array>
#include <utility>

#include "mcp/message_keys.h"
#include "mcp/version.h"

namespace switchyard::mcp {
namespace {

// Keys that a legacy peer does not know. progressToken and traceparent belong to both eras.
constexpr std::array kModernKeys = {MetaKey::kProtocolVersion, MetaKey::kClientCapabilities,
                                    MetaKey::kClientInfo,      MetaKey::kLogLevel,
                                    MetaKey::kSubscriptionId,  MetaKey::kServerInfo};

void Append(std::string& object, std::string_view raw_member) {
  if (raw_member.empty()) return;
  if (!object.ends_with('{')) object += ',';
  object.append(raw_member);
}

void Append(std::string& object, MetaKey key, std::string_view raw_value) {
  if (raw_value.empty()) return;
  if (!object.ends_with('{')) object += ',';
  object.append("\"").append(ToString(key)).append("\":").append(raw_value);
}

void AppendShared(std::string& object, const MetaFields& fields, std::string_view other_members) {
  Append(object, MetaKey::kProgressToken, fields.progress_token);
  Append(object, MetaKey::kTraceParent, fields.trace_parent);
  Append(object, other_members);
  object += '}';
}

bool IsEmptyObject(std::string_view raw) {
  return raw.find_first_not_of(" \t\r\n", 1) == raw.size() - 1;
}

bool IsInputWanted(const Message& message) {
  const std::string_view type = message.Get(Key::kResultType);
  return !type.empty() && type != "\"complete\"";
}

}  // namespace

std::string ModernRequestMeta(const MetaFields& fields, std::string_view other_members) {
  std::string object = "{";
  object.reserve(256 + fields.client_capabilities.size() + fields.client_info.size() +
                 other_members.size());
  const std::string_view capabilities = fields.client_capabilities;
  object.append(R"("io.modelcontextprotocol/protocolVersion":")").append(ToString(kModern));
  object += '"';
  Append(object, MetaKey::kClientCapabilities, capabilities.empty() ? "{}" : capabilities);
  Append(object, MetaKey::kClientInfo, fields.client_info);
  if (!fields.log_level.empty()) Append(object, MetaKey::kLogLevel, Quote(fields.log_level));
  AppendShared(object, fields, other_members);
  return object;
}

std::string LegacyRequestMeta(const MetaFields& fields, std::string_view other_members) {
  std::string object = "{";
  AppendShared(object, fields, other_members);
  return object == "{}" ? std::string() : object;
}

void SetParamsMeta(const Message& message, Edits& edits, std::string meta) {
  const Member old = message.member(Key::kMeta);
  if (old.present()) return edits.Replace(old.value, meta.empty() ? "{}" : std::move(meta));
  const bool has_params = !message.params().empty();
  // At the end, so that it does not meet what others insert at the beginning.
  const std::uint32_t end = has_params ? message.params_span().end - 1
                                       : static_cast<std::uint32_t>(message.bytes().rfind('}'));
  std::string text;
  if (!meta.empty() && has_params) {
    text = IsEmptyObject(message.params()) ? R"("_meta":)" : R"(,"_meta":)";
    text.append(meta);
  } else if (!meta.empty()) {
    text.append(R"(,"params":{"_meta":)").append(meta).append("}");
  }
  edits.Insert(end, std::move(text));
}

void StripModernMeta(const Message& message, Edits& edits) {
  bool any = false;
  for (const MetaKey key : kModernKeys) any = any || message.Has(key);
  if (!any) return;
  const bool keeps = message.Has(MetaKey::kProgressToken) || message.Has(MetaKey::kTraceParent) ||
                     !message.OtherMeta().empty();
  if (!keeps) return edits.RemoveMember(message.bytes(), message.member(Key::kMeta));
  for (const MetaKey key : kModernKeys) {
    if (message.Has(key)) edits.RemoveMember(message.bytes(), message.member(key));
  }
}

void StripModernResult(const Message& message, Edits& edits) {
  if (message.kind() != Kind::kResult) return;
  // What AddResultType put in front goes, too: an insert at the same place takes its place.
  const Span result = message.result_span();
  if (!edits.empty() && result.begin != 0) edits.Insert(result.begin + 1, "");
  for (const Key key : {Key::kResultType, Key::kTtlMs, Key::kCacheScope}) {
    if (message.Has(key)) edits.RemoveMember(message.bytes(), message.member(key));
  }
  StripModernMeta(message, edits);
}

void AddResultType(const Message& message, Edits& edits, std::optional<CacheHint> hint) {
  // The members of a shared local answer are not known here; its maker wrote what belongs in it.
  const Span result = message.result_span();
  if (message.kind() != Kind::kResult || result.begin == 0) return;
  std::string members;
  const auto add = [&](Key key, std::string_view value) {
    if (message.Has(key)) return;
    members.append("\"").append(ToString(key)).append("\":").append(value).append(",");
  };
  add(Key::kResultType, "\"complete\"");
  if (hint && !IsInputWanted(message)) {
    add(Key::kTtlMs, std::to_string(hint->ttl_ms));
    add(Key::kCacheScope, Quote(hint->scope));
  }
  if (members.empty()) return;
  if (IsEmptyObject(message.result())) members.pop_back();
  edits.Insert(result.begin + 1, std::move(members));
}

}  // namespace switchyard::mcp
