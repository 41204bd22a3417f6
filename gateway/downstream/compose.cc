#include "downstream/compose.h"

#include <utility>

#include <boost/json.hpp>

#include "downstream/channel.h"
#include "downstream/param_headers.h"
#include "mcp/header_value.h"
#include "mcp/meta.h"
#include "mcp/tasks.h"

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

// The value of Mcp-Name: what the body says after Begin().
std::optional<std::string> NameOf(const Call& call) {
  const std::optional<mcp::Key> key = KeyOf(call.method().key);
  if (!key) return std::nullopt;
  return call.target.name.empty() ? call.message.GetString(*key) : std::string(call.target.name);
}

std::string BridgedCapabilities(std::string_view declared) {
  if (!declared.contains("\"extensions\"") && !declared.contains("\"experimental\"")) {
    return std::string(declared);
  }
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(declared, error);
  if (error || !value.is_object()) return "{}";
  value.as_object().erase("extensions");
  value.as_object().erase("experimental");
  return boost::json::serialize(value);
}

// What a server is told of the client: of its extensions none but tasks, which is told also where
// the gateway itself takes the task on behalf of a client.
std::string DeclaredCapabilities(const Client* client) {
  const bool passes = client != nullptr && mcp::IsModern(client->version);
  std::string declared = passes ? BridgedCapabilities(client->capabilities) : std::string("{}");
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
  fields.trace_parent = call.message.Get(mcp::MetaKey::kTraceParent);
  mcp::SetParamsMeta(call.message, composed.edits,
                     mcp::ModernRequestMeta(fields, call.message.OtherMeta()));
  ComposeTask(call, false, composed);
  if (!with_headers) return composed;

  composed.headers = VersionHeader(mcp::kModern);
  composed.headers.append("Mcp-Method: ").append(call.method().name).append("\r\n");
  if (const std::optional<std::string> name = NameOf(call)) {
    composed.headers.append("Mcp-Name: ").append(mcp::EncodeHeaderValue(*name)).append("\r\n");
  }
  if (call.target.definition != nullptr && call.method().method == mcp::Method::kToolsCall) {
    composed.headers +=
        ParamHeaders(call.target.definition->json, call.message.Get(mcp::Key::kArguments));
  }
  return composed;
}

Composed ComposeLegacy(const Call& call, std::string id, const Link& link) {
  Composed composed = Begin(call, std::move(id));
  mcp::MetaFields fields;
  if (!call.progress_token.empty()) fields.progress_token = composed.id;
  fields.trace_parent = call.message.Get(mcp::MetaKey::kTraceParent);
  mcp::SetParamsMeta(call.message, composed.edits,
                     mcp::LegacyRequestMeta(fields, call.message.OtherMeta()));
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
