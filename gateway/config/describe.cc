#include "config/describe.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "config/redact.h"
#include "config/units.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;

std::string Address(const Listen& listen) {
  const bool is_v6 = listen.host.contains(':');
  return (is_v6 ? "[" + listen.host + "]" : listen.host) + ":" + std::to_string(listen.port);
}

std::string Join(const std::vector<std::string>& words, const char* between = ", ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
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

std::string Count(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
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

void DescribeServer(std::string& out, const Server& server) {
  out += "  " + server.name + (server.enabled ? "" : " (disabled)") + "\n";
  if (server.is_stdio()) {
    Detail(out, "command", CommandLine(server));
    Detail(out, "cwd", server.cwd);
    Detail(out, "env", Join(Names(server.env), "=***, ") + (server.env.empty() ? "" : "=***"));
  } else {
    Detail(out, "url", RedactUrl(server.url.Shown()));
    Detail(out, "headers",
           Join(Names(server.headers), ": ***, ") + (server.headers.empty() ? "" : ": ***"));
    Detail(out, "tls_ca", server.tls_ca);
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
  Detail(out, "policies", Join(Names(server.policies.by_name)));
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

json::object ToJson(const Server& server) {
  json::object out{{"enabled", server.enabled}};
  if (server.is_stdio()) {
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
    out["transport"] = ToString(server.transport);
  }
  out["prefix"] = server.effective_prefix();
  out["tools"] = ToJson(server.tools);
  out["era"] = ToString(server.era);
  out["start_timeout"] = FormatDuration(server.start_timeout);
  out["list_timeout"] = FormatDuration(server.list_timeout);
  out["policies"] = ToJson(Names(server.policies.by_name));
  return out;
}

json::object ToJson(const Endpoint& endpoint) {
  return {{"servers", ToJson(endpoint.servers)},
          {"tools", ToJson(endpoint.tools)},
          {"transparent", endpoint.transparent},
          {"policies", ToJson(Names(endpoint.policies.by_name))}};
}

json::object ToJson(const Listen& listen) {
  return {{"address", Address(listen)},
          {"allowed_origins", ToJson(listen.allowed_origins)},
          {"allowed_hosts", ToJson(listen.allowed_hosts)},
          {"max_body", listen.max_body},
          {"max_connections", listen.max_connections},
          {"workers", listen.workers},
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

}  // namespace

std::string Describe(const Config& config) {
  std::string out = "listen " + Address(config.listen) + ", bodies up to " +
                    FormatBytes(config.listen.max_body) + "\n";
  if (!config.listen.allowed_origins.empty()) {
    out += "  allowed origins " + Join(config.listen.allowed_origins) + "\n";
  }
  if (!config.listen.allowed_hosts.empty()) {
    out += "  allowed hosts " + Join(config.listen.allowed_hosts) + "\n";
  }
  if (config.listen.legacy_sse) out += "  also HTTP+SSE (2024-11-05) at /sse\n";
  out += Count(config.servers.size(), "server") + "\n";
  for (const auto& [name, server] : config.servers) DescribeServer(out, server);
  if (!config.endpoints.empty()) out += Count(config.endpoints.size(), "endpoint") + "\n";
  for (const auto& [name, endpoint] : config.endpoints) DescribeEndpoint(out, endpoint);
  if (!config.policies.by_name.empty()) {
    out += "policies " + Join(Names(config.policies.by_name)) + "\n";
  }
  out += "log " + std::string(ToString(config.log.level)) + " as " +
         std::string(ToString(config.log.format)) +
         (config.log.calls ? ", a line per call\n" : ", no line per call\n");
  if (config.page_size > 0) out += "list pages of " + Count(config.page_size, "tool") + "\n";
  return out;
}

json::object DescribeJson(const Config& config) {
  json::object servers, endpoints;
  for (const auto& [name, server] : config.servers) servers[name] = ToJson(server);
  for (const auto& [name, endpoint] : config.endpoints) endpoints[name] = ToJson(endpoint);
  return {
      {"listen", ToJson(config.listen)},
      {"sessions", ToJson(config.sessions)},
      {"servers", std::move(servers)},
      {"endpoints", std::move(endpoints)},
      {"policies", ToJson(Names(config.policies.by_name))},
      {"log", json::object{{"level", ToString(config.log.level)},
                           {"format", ToString(config.log.format)},
                           {"calls", config.log.calls}}},
      {"limits", json::object{{"parked_calls", config.limits.parked_calls},
                              {"parked_calls_per_caller", config.limits.parked_calls_per_caller},
                              {"parked_for", FormatDuration(config.limits.parked_for)}}},
      {"page_size", config.page_size}};
}

}  // namespace switchyard::config
