#include "config/describe.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "config/describe_orchestration.h"
#include "config/open.h"
#include "config/redact.h"
#include "config/units.h"
#include "config/words.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;

std::string Address(const Listen& listen) {
  const bool is_v6 = listen.host.contains(':');
  return (is_v6 ? "[" + listen.host + "]" : listen.host) + ":" + std::to_string(listen.port);
}

template <class T>
std::vector<std::string> Names(const std::map<std::string, T>& map) {
  std::vector<std::string> out;
  out.reserve(map.size());
  for (const auto& [name, value] : map) out.push_back(name);
  return out;
}

std::string CommandLine(const Server& server) {
  std::vector<Secret> line = {server.command};
  line.insert(line.end(), server.args.begin(), server.args.end());
  return Join(RedactArgs(line), " ");
}

// One more line under a server or an endpoint, if there is anything to say.
void Detail(std::string& out, const char* label, const std::string& value) {
  if (value.empty()) return;
  out.append("      ").append(label).append(" ").append(value).append("\n");
}

void DescribeTools(std::string& out, const ToolFilter& tools) {
  Detail(out, "tools include", Join(tools.include));
  Detail(out, "tools exclude", Join(tools.exclude));
}

std::string_view TrustOf(const Pinning& pinning) {
  return pinning.only_accepted ? "accepted" : "first_seen";
}

std::string Describe(const Pinning& pinning) {
  return std::string("change ")
      .append(ToString(pinning.change))
      .append(", trust ")
      .append(TrustOf(pinning))
      .append(", scan ")
      .append(ToString(pinning.scan))
      .append(" from ")
      .append(ToString(pinning.threshold));
}

void DescribeServer(std::string& out, const Server& server) {
  out += "  " + server.name + (server.enabled ? "" : " (disabled)") + "\n";
  if (server.builtin) {
    Detail(out, "is", "a part of the gateway");
  } else if (server.is_stdio()) {
    Detail(out, "command", CommandLine(server));
    Detail(out, "cwd", server.cwd);
    Detail(out, "env", Join(Names(server.env), "=***, ") + (server.env.empty() ? "" : "=***"));
  } else {
    Detail(out, "url", RedactUrl(server.url.Shown()));
    Detail(out, "headers",
           Join(Names(server.headers), ": ***, ") + (server.headers.empty() ? "" : ": ***"));
    if (server.credentials) {
      Detail(out, "credentials", std::string(ToString(server.credentials->kind)));
    }
    Detail(out, "tls_ca", server.tls_ca);
    Detail(out, "tls_pin", server.tls_pin);
    if (server.transport != HttpKind::kAuto) {
      Detail(out, "transport", std::string(ToString(server.transport)));
    }
  }
  const std::string& prefix = server.effective_prefix();
  Detail(out, "tools named", prefix.empty() ? "as they are" : prefix + "__...");
  DescribeTools(out, server.tools);
  if (server.era != Era::kAuto) Detail(out, "era", std::string(ToString(server.era)));
  Detail(out, "timeouts",
         "start " + FormatDuration(server.start_timeout) + ", list " +
             FormatDuration(server.list_timeout));
  if (server.pinning.on()) Detail(out, "pins", Describe(server.pinning));
  Detail(out, "policies", Join(Names(server.policies.by_name)));
  for (const PolicyLevel& tools : server.tool_policies) {
    Detail(out, ("policies of " + tools.glob).c_str(), Join(Names(tools.by_name)));
  }
}

void DescribeEndpoint(std::string& out, const Endpoint& endpoint) {
  out += "  /mcp/" + endpoint.name + (endpoint.transparent ? " (transparent)" : "") + "\n";
  Detail(out, "servers", endpoint.servers.empty() ? "all" : Join(endpoint.servers));
  DescribeTools(out, endpoint.tools);
  Detail(out, "policies", Join(Names(endpoint.policies.by_name)));
}

json::array ToJson(const std::vector<std::string>& words) {
  return json::array(words.begin(), words.end());
}

json::object ToJson(const ToolFilter& tools) {
  return {{"include", ToJson(tools.include)}, {"exclude", ToJson(tools.exclude)}};
}

json::object Masked(const std::map<std::string, Secret>& values) {
  json::object out;
  for (const auto& [name, value] : values) out[name] = Secret::kMask;
  return out;
}

json::object ToJson(const Pinning& pinning) {
  return {{"change", ToString(pinning.change)},
          {"trust", TrustOf(pinning)},
          {"scan", ToString(pinning.scan)},
          {"threshold", ToString(pinning.threshold)}};
}

// Whose callers have a value is nobody's business either.
json::object ToJson(const ServerCredentials& credentials) {
  json::object out{{"kind", ToString(credentials.kind)}, {"issuer", credentials.issuer}};
  if (credentials.kind == ServerCredentials::Kind::kPerUser) {
    out["header"] = credentials.header;
    out["by"] = credentials.by;
    out["values"] = credentials.values.size();
    return out;
  }
  out["client_id"] = credentials.client_id;
  out["scopes"] = ToJson(credentials.scopes);
  if (!credentials.resource.empty()) out["resource"] = credentials.resource;
  if (credentials.discover_issuer) out["discover_issuer"] = true;
  if (!credentials.audience.empty()) out["audience"] = credentials.audience;
  if (!credentials.token_endpoint.empty()) out["token_endpoint"] = credentials.token_endpoint;
  return out;
}

json::object ToJson(const Server& server) {
  json::object out{{"enabled", server.enabled}};
  if (server.builtin) {
    out["builtin"] = true;
  } else if (server.is_stdio()) {
    std::vector<std::string> line = RedactArgs(server.args);
    out["command"] = RedactUrl(server.command.Shown());
    out["args"] = ToJson(line);
    out["env"] = Masked(server.env);
    if (!server.cwd.empty()) out["cwd"] = server.cwd;
    out["lanes"] = server.lanes;
  } else {
    out["url"] = RedactUrl(server.url.Shown());
    out["headers"] = Masked(server.headers);
    if (!server.tls_ca.empty()) out["tls_ca"] = server.tls_ca;
    if (!server.tls_pin.empty()) out["tls_pin"] = server.tls_pin;
    out["transport"] = ToString(server.transport);
    if (server.credentials) out["credentials"] = ToJson(*server.credentials);
  }
  out["prefix"] = server.effective_prefix();
  out["tools"] = ToJson(server.tools);
  out["era"] = ToString(server.era);
  out["start_timeout"] = FormatDuration(server.start_timeout);
  out["list_timeout"] = FormatDuration(server.list_timeout);
  if (server.pinning.on()) out["pins"] = ToJson(server.pinning);
  out["policies"] = ToJson(Names(server.policies.by_name));
  json::object tools;
  for (const PolicyLevel& level : server.tool_policies) {
    tools[level.glob] = ToJson(Names(level.by_name));
  }
  if (!tools.empty()) out["tool_policies"] = std::move(tools);
  return out;
}

json::value ToJson(const std::optional<Auth>& auth) {
  if (!auth) return nullptr;
  if (auth->none) return "none";
  std::vector<std::string> issuers, keys, logins;
  for (const Issuer& issuer : auth->issuers) {
    issuers.push_back(issuer.issuer);
    if (issuer.login) logins.push_back(issuer.issuer);
  }
  for (const ApiKey& key : auth->api_keys) keys.push_back(key.name);
  return json::object{{"issuers", ToJson(issuers)},
                      {"logins", ToJson(logins)},
                      {"api_keys", ToJson(keys)},
                      {"api_keys_file", auth->api_keys_file},
                      {"certificates", auth->certificates.size()},
                      {"anonymous", auth->anonymous},
                      {"scopes", ToJson(auth->scopes)},
                      {"scopes_supported", ToJson(auth->scopes_supported)},
                      {"resource_name", auth->resource_name},
                      {"documentation", auth->documentation}};
}

json::object ToJson(const Endpoint& endpoint) {
  return {{"servers", ToJson(endpoint.servers)},
          {"tools", ToJson(endpoint.tools)},
          {"transparent", endpoint.transparent},
          {"policies", ToJson(Names(endpoint.policies.by_name))},
          {"auth", ToJson(endpoint.auth)}};
}

std::string_view ToString(Group::Choice choice) {
  return choice == Group::Choice::kLeastLoaded ? "least_loaded" : "priority";
}

json::object ToJson(const Group& group) {
  return {{"prefix", group.effective_prefix()},
          {"choice", ToString(group.choice)},
          {"servers", ToJson(group.servers)}};
}

json::object ToJson(const Tls& tls) {
  json::object out = {{"certificate", tls.certificate}, {"key", tls.key}};
  if (tls.client_ca.empty()) return out;
  out["client_ca"] = tls.client_ca;
  out["client_certificate"] = ToString(tls.client_certificate);
  return out;
}

json::object ToJson(const Listen& listen) {
  return {{"address", Address(listen)},
          {"tls", listen.tls ? json::value(ToJson(*listen.tls)) : json::value()},
          {"allowed_origins", ToJson(listen.allowed_origins)},
          {"allowed_hosts", ToJson(listen.allowed_hosts)},
          {"max_body", listen.max_body},
          {"max_connections", listen.max_connections},
          {"workers", listen.workers},
          {"public_url", listen.public_url},
          {"legacy_sse", listen.legacy_sse}};
}

json::object ToJson(const Sessions& sessions) {
  return {{"max", sessions.max},
          {"max_per_caller", sessions.max_per_caller},
          {"max_streams", sessions.max_streams},
          {"max_streams_per_caller", sessions.max_streams_per_caller},
          {"input_timeout", FormatDuration(sessions.input_timeout)},
          {"resume_grace", FormatDuration(sessions.resume_grace)}};
}

json::object ToJson(const Fetch& fetch) {
  return {{"allow", ToJson(fetch.allow)},
          {"timeout", FormatDuration(fetch.timeout)},
          {"max_bytes", fetch.max_bytes},
          {"tls_ca", fetch.tls_ca}};
}

json::object ToJson(const Audit& audit) {
  const Audit::Anomalies& unusual = audit.anomalies;
  return {{"path", audit.path},
          {"key", audit.key.empty() ? json::value() : json::value(Secret::kMask)},
          {"on_failure", ToString(audit.on_failure)},
          {"sync", ToString(audit.sync)},
          {"sync_interval", FormatDuration(audit.sync_interval)},
          {"max_size", audit.max_size},
          {"max_age", FormatDuration(audit.max_age)},
          {"keep_files", audit.keep_files},
          {"keep_for", FormatDuration(audit.keep_for)},
          {"anomalies", json::object{{"window", FormatDuration(unusual.window)},
                                     {"denials", unusual.denials},
                                     {"calls", unusual.calls},
                                     {"unseen_tools", unusual.unseen_tools},
                                     {"learn", FormatDuration(unusual.learn)},
                                     {"callers", unusual.callers}}}};
}

std::string DescribeAuth(const Config& config) {
  std::string out;
  const auto line = [&out](const std::string& path, const std::optional<Auth>& auth) {
    if (!auth || auth->none) return;
    std::vector<std::string> means;
    for (const Issuer& issuer : auth->issuers) means.push_back("tokens of " + issuer.issuer);
    if (!auth->api_keys.empty()) means.push_back(Count(auth->api_keys.size(), "API key"));
    if (!auth->api_keys_file.empty()) means.push_back("API keys in " + auth->api_keys_file);
    if (!auth->certificates.empty()) {
      means.push_back(Count(auth->certificates.size(), "rule") + " for certificates");
    }
    if (auth->anonymous) means.push_back("nothing (anonymous)");
    out += "  callers of " + path + " show " + Join(means, " or ") + "\n";
    if (!auth->scopes.empty()) out += "      with the scopes " + Join(auth->scopes) + "\n";
  };
  line("/mcp", config.auth);
  for (const auto& [name, endpoint] : config.endpoints) line("/mcp/" + name, endpoint.auth);
  const std::string open = OpenHere(config);
  if (!open.empty()) out += "  " + open + "\n";
  return out;
}

std::string DescribeListener(const Config& config) {
  std::string out = "listen " + Address(config.listen) + ", bodies up to " +
                    FormatBytes(config.listen.max_body) + "\n";
  if (const std::optional<Tls>& tls = config.listen.tls) {
    out += "  TLS as " + tls->certificate;
    if (!tls->client_ca.empty()) {
      out += ", certificates of clients by " + tls->client_ca + " " +
             std::string(ToString(tls->client_certificate));
    }
    out += "\n";
  }
  if (!config.listen.allowed_origins.empty()) {
    out += "  allowed origins " + Join(config.listen.allowed_origins) + "\n";
  }
  if (!config.listen.allowed_hosts.empty()) {
    out += "  allowed hosts " + Join(config.listen.allowed_hosts) + "\n";
  }
  if (config.listen.legacy_sse) out += "  also HTTP+SSE (2024-11-05) at /sse\n";
  if (!config.listen.public_url.empty()) {
    out += "  clients reach it as " + config.listen.public_url + "\n";
  }
  return out + DescribeAuth(config);
}

}  // namespace

std::string Describe(const Config& config) {
  std::string out = DescribeListener(config);
  out += Count(config.servers.size(), "server") + "\n";
  for (const auto& [name, server] : config.servers) DescribeServer(out, server);
  if (!config.groups.empty()) out += Count(config.groups.size(), "group") + "\n";
  for (const auto& [name, group] : config.groups) {
    out += "  " + name + ": " + Join(group.servers) + " by " + std::string(ToString(group.choice)) +
           "\n";
  }
  if (!config.endpoints.empty()) out += Count(config.endpoints.size(), "endpoint") + "\n";
  for (const auto& [name, endpoint] : config.endpoints) DescribeEndpoint(out, endpoint);
  if (!config.policies.by_name.empty()) {
    out += "policies " + Join(Names(config.policies.by_name)) + "\n";
  }
  out += "log " + std::string(ToString(config.log.level)) + " as " +
         std::string(ToString(config.log.format)) +
         (config.log.calls ? ", a line per call\n" : ", no line per call\n");
  if (!config.state.dir.empty()) out += "state in " + config.state.dir + "\n";
  if (!config.pins_file.empty()) out += "pins in " + config.pins_file + "\n";
  if (config.state.max_keys != State().max_keys) {
    out += "each limit tells apart " + Count(config.state.max_keys, "key") + " at most\n";
  }
  if (!config.credentials.keys.empty()) {
    out += "tokens kept in " + config.credentials.dir + " under " +
           Count(config.credentials.keys.size(), "key") + "\n";
  }
  out += DescribeOrchestration(config);
  if (!config.audit.path.empty()) {
    out += "audit log " + config.audit.path + (config.audit.key.empty() ? "" : " under a key") +
           "; while it cannot be written, calls " +
           (config.audit.on_failure == Audit::OnFailure::kRefuse ? "are refused" : "go on") + "\n";
  }
  for (const std::string& note : ApprovalNotes(config)) out += note + "\n";
  if (config.page_size > 0) out += "list pages of " + Count(config.page_size, "tool") + "\n";
  return out;
}

json::object DescribeJson(const Config& config) {
  json::object servers, groups, endpoints;
  for (const auto& [name, server] : config.servers) servers[name] = ToJson(server);
  for (const auto& [name, group] : config.groups) groups[name] = ToJson(group);
  for (const auto& [name, endpoint] : config.endpoints) endpoints[name] = ToJson(endpoint);
  json::object out = {
      {"listen", ToJson(config.listen)},
      {"auth", ToJson(config.auth)},
      {"sessions", ToJson(config.sessions)},
      {"servers", std::move(servers)},
      {"groups", std::move(groups)},
      {"endpoints", std::move(endpoints)},
      {"policies", ToJson(Names(config.policies.by_name))},
      {"log", json::object{{"level", ToString(config.log.level)},
                           {"format", ToString(config.log.format)},
                           {"calls", config.log.calls}}},
      {"limits",
       json::object{{"parked_calls", config.limits.parked_calls},
                    {"parked_calls_per_caller", config.limits.parked_calls_per_caller},
                    {"parked_for", FormatDuration(config.limits.parked_for)},
                    {"pending_approvals", config.limits.pending_approvals},
                    {"pending_approvals_per_caller", config.limits.pending_approvals_per_caller}}},
      {"admin", json::object{{"token", config.admin.token.empty() ? json::value()
                                                                  : json::value(Secret::kMask)}}},
      {"state", json::object{{"dir", config.state.dir}, {"max_keys", config.state.max_keys}}},
      {"audit", ToJson(config.audit)},
      {"fetch", ToJson(config.fetch)},
      {"page_size", config.page_size}};
  if (!config.pins_file.empty()) out["pins"] = json::object{{"file", config.pins_file}};
  return out;
}

}  // namespace switchyard::config
