#include "downstream/compose.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "downstream/channel.h"
#include "downstream/param_headers.h"
#include "mcp/header_value.h"
#include "mcp/meta.h"
#include "mcp/tasks.h"
#include "telemetry/trace.h"

namespace switchyard::downstream {
namespace {

std::optional<mcp::Key> KeyOf(mcp::TargetKey key) {
  switch (key) {
    case mcp::TargetKey::kName: return mcp::Key::kName;
    case mcp::TargetKey::kUri: return mcp::Key::kUri;
    case mcp::TargetKey::kTaskId: return mcp::Key::kTaskId;
    case mcp::TargetKey::kNone: break;
  }
  return std::nullopt;
}

// Starts from the edits that stages made on the way (a router's, a guardrail's).
Composed Begin(const Call& call, std::string id) {
  Composed composed{.id = std::move(id), .headers = {}, .edits = call.message.edits()};
  if (call.message.id_span().present()) {
    composed.edits.Replace(call.message.id_span(), composed.id);
  }
  const std::optional<mcp::Key> key = KeyOf(call.method().key);
  if (key && !call.target.name.empty() && call.message.Has(*key)) {
    composed.edits.Replace(call.message.member(*key).value, mcp::Quote(call.target.name));
  }
  return composed;
}

// The headers that mirror the body as it is after Begin().
std::string MirroredHeaders(const Call& call) {
  std::string headers;
  headers.reserve(192);
  headers.append("MCP-Protocol-Version: ").append(mcp::ToString(mcp::kModern));
  headers.append("\r\nMcp-Method: ").append(call.method().name).append("\r\n");
  if (const std::optional<mcp::Key> key = KeyOf(call.method().key)) {
    const std::string& target = call.target.name;
    const std::string name = target.empty() ? call.message.GetString(*key) : target;
    headers.append("Mcp-Name: ").append(mcp::EncodeHeaderValue(name)).append("\r\n");
  }
  if (call.target.definition != nullptr && call.method().method == mcp::Method::kToolsCall) {
    const Definition& tool = *call.target.definition;
    headers += ParamHeaders(tool, call.message.Get(mcp::Key::kArguments));
    if (!call.header_params.sent.empty()) headers += OtherParamHeaders(tool, call.header_params);
  }
  return headers;
}

std::string BridgedCapabilities(std::string_view declared) {
  constexpr std::string_view kUnbridged[] = {"\"extensions\"", "\"experimental\"", "\"tasks\""};
  if (std::ranges::none_of(kUnbridged, [&](auto key) { return declared.contains(key); })) {
    return std::string(declared);
  }
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(declared, error);
  if (error || !value.is_object()) return "{}";
  value.as_object().erase("extensions");
  value.as_object().erase("experimental");
  value.as_object().erase("tasks");
  return boost::json::serialize(value);
}

// The caller's trace goes on with a span of ours; raw JSON, "" = it has none that can be read.
// tracestate and baggage are among the members that are passed on.
std::string ChildTrace(const Call& call) {
  const std::string_view raw = call.message.Get(mcp::MetaKey::kTraceParent);
  if (raw.size() < 2) return {};
  const auto parent = telemetry::TraceContext::Parse(raw.substr(1, raw.size() - 2));
  return parent ? '"' + parent->Child().ToHeader() + '"' : std::string();
}

// What a server is told of the client: of its extensions none but tasks, which is told also where
// the gateway itself takes the task on behalf of a client.
std::string DeclaredCapabilities(const Client* client) {
  // The edge put those of a legacy client into the modern form, too.
  std::string declared =
      client != nullptr ? BridgedCapabilities(client->capabilities) : std::string("{}");
  if (client == nullptr || client->tasks == Tasks::kNone) return declared;
  return mcp::WithTasks(declared);
}

// `params.task` is how legacy clients and servers speak of tasks; of a modern client it would mean
// nothing, and a modern server is told by the capabilities.
void ComposeTask(const Call& call, bool legacy_server, Composed& composed) {
  if (call.message.method() != mcp::Method::kToolsCall) return;
  const mcp::Member task = call.message.member(mcp::Key::kTask);
  const bool legacy_client = call.client != nullptr && !mcp::IsModern(call.client->version);
  if (!legacy_server || !BecomesTask(call)) {
    const bool strange = legacy_server || legacy_client;
    if (task.present() && strange) composed.edits.RemoveMember(call.message.bytes(), task);
  } else if (!task.present()) {
    // A call has params, and `name` in them.
    composed.edits.Insert(call.message.params_span().begin + 1, R"("task":{},)");
  } else if (call.client->tasks != Tasks::kWanted) {
    composed.edits.Replace(task.value, "{}");
  }
}

}  // namespace

bool BecomesTask(const Call& call) {
  const Definition* tool = call.target.definition;
  if (call.client == nullptr || call.client->tasks == Tasks::kNone || tool == nullptr) return false;
  if (call.message.method() != mcp::Method::kToolsCall) return false;
  if (tool->tasks == TaskSupport::kRequired) return true;
  return tool->tasks == TaskSupport::kOptional && call.client->tasks == Tasks::kWanted;
}

Composed ComposeModern(const Call& call, std::string id, bool with_headers) {
  Composed composed = Begin(call, std::move(id));
  const Client* client = call.client.get();
  const std::string capabilities = DeclaredCapabilities(client);
  mcp::MetaFields fields;
  fields.client_capabilities = capabilities;
  fields.client_info = client != nullptr && !client->info.empty() ? client->info : GatewayInfo();
  fields.log_level = call.log_level;
  if (!call.progress_token.empty()) fields.progress_token = composed.id;
  const std::string trace = ChildTrace(call);
  fields.trace_parent = trace;
  mcp::SetParamsMeta(call.message, composed.edits,
                     mcp::ModernRequestMeta(fields, call.message.OtherMeta()));
  ComposeTask(call, false, composed);
  if (with_headers) composed.headers = MirroredHeaders(call);
  return composed;
}

Composed ComposeLegacy(const Call& call, std::string id, const Link& link) {
  Composed composed = Begin(call, std::move(id));
  for (const mcp::Key key : {mcp::Key::kInputResponses, mcp::Key::kRequestState}) {
    if (!call.message.Has(key)) continue;
    composed.edits.RemoveMember(call.message.bytes(), call.message.member(key));
  }
  mcp::MetaFields fields;
  if (!call.progress_token.empty()) fields.progress_token = composed.id;
  const std::string trace = ChildTrace(call);
  fields.trace_parent = trace;
  mcp::SetParamsMeta(call.message, composed.edits,
                     mcp::LegacyRequestMeta(fields, call.message.OtherMeta()));
  // 2025-06-18 brought the context of a completion; before, some servers refuse what they do not
  // know.
  const bool completes = call.message.method() == mcp::Method::kComplete;
  if (completes && link.facts.version < mcp::Version::k2025_06_18 &&
      call.message.Has(mcp::Key::kContext)) {
    composed.edits.RemoveMember(call.message.bytes(), call.message.member(mcp::Key::kContext));
  }
  ComposeTask(call, true, composed);
  composed.headers = LegacyHeaders(link);
  return composed;
}

std::string LegacyHeaders(const Link& link) {
  std::string headers;
  if (!link.session_id.empty()) headers = "Mcp-Session-Id: " + link.session_id + "\r\n";
  if (link.facts.version >= mcp::Version::k2025_06_18) {
    headers += VersionHeader(link.facts.version);
  }
  return headers;
}

}  // namespace switchyard::downstream
