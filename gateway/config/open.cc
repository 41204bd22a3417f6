#include "config/open.h"

#include <algorithm>
#include <utility>

#include "base/address.h"
#include "config/rules.h"
#include "config/words.h"

namespace switchyard::config {
namespace {

// Whoever connects has shown a certificate.
bool KnowsAll(const Listen& listen) {
  return listen.tls && !listen.tls->client_ca.empty() &&
         listen.tls->client_certificate == Tls::ClientCertificate::kRequired;
}

// Endpoints by path of which `is_so`.
template <class Is>
std::vector<std::string> Paths(const Config& config, Is is_so) {
  std::vector<std::string> paths;
  if (is_so(config.auth)) paths.emplace_back("/mcp");
  for (const auto& [name, endpoint] : config.endpoints) {
    if (is_so(endpoint.auth)) paths.push_back("/mcp/" + name);
  }
  return paths;
}

}  // namespace

OpenPaths OpenPathsOf(const Config& config) {
  auto open =
      Paths(config, [](const auto& auth) { return !auth || auth->none || auth->anonymous; });
  if (KnowsAll(config.listen)) return {};
  if (IsLoopbackHost(config.listen.host)) return {.machine = std::move(open)};
  return {.network = std::move(open)};
}

std::optional<std::string> OpenProblem(const Config& config) {
  if (IsLoopbackHost(config.listen.host) || KnowsAll(config.listen)) return std::nullopt;
  const auto open = Paths(config, [](const auto& auth) { return !auth.has_value(); });
  if (open.empty()) return std::nullopt;
  return "other machines can reach " + config.listen.host +
         " and nobody has to prove who they are at " + Join(open) +
         "; add auth, listen on 127.0.0.1, or write `auth: none` if all of them may "
         "use everything";
}

std::vector<std::string> OpenWarnings(const Config& config) {
  const auto open = OpenPathsOf(config).network;
  if (open.empty() || OpenProblem(config)) return {};
  return {"everybody who reaches " + config.listen.host + " may use " + Join(open) +
          ": nobody has to prove who they are"};
}

std::string OpenHere(const Config& config) {
  const auto open = OpenPathsOf(config).machine;
  if (open.empty()) return "";
  return "every program on this machine may use " + Join(open) +
         ": nobody has to prove who they are (see auth)";
}

bool IsAdminOpen(const Config& config) {
  const Listen& listen = config.listen;
  if (!IsLoopbackHost(listen.host) || !listen.allowed_hosts.empty()) return false;
  if (!listen.public_url.empty()) return false;  // a proxy is in front, for clients elsewhere
  return Paths(config, [](const auto& auth) { return auth && !auth->none; }).empty();
}

std::vector<std::string> ApprovalNotes(const Config& config) {
  const auto says = [](const PolicyLevel& level) { return level.Find("approval") != nullptr; };
  bool any = says(config.policies);
  for (const auto& [name, endpoint] : config.endpoints) any |= says(endpoint.policies);
  for (const auto& [name, server] : config.servers) {
    any |= says(server.policies) || std::ranges::any_of(server.tool_policies, says);
  }
  std::vector<std::string> notes;
  if (!any) return notes;
  if (config.state.dir.empty()) {
    notes.emplace_back(
        "approvals are kept in memory alone and forgotten with the process: set state.dir to keep "
        "them");
  }
  if (!config.admin.token.empty()) return notes;
  notes.emplace_back(IsAdminOpen(config)
                         ? "every program on this machine can approve calls, also an agent with a "
                           "shell: set admin.token"
                         : "nobody but users of clients can approve calls: `switchyard approve` "
                           "and the admin API need admin.token here");
  return notes;
}

bool NeedsPublicUrl(const Listen& listen) {
  return listen.public_url.empty() &&
         (!IsLoopbackHost(listen.host) || !listen.allowed_hosts.empty());
}

}  // namespace switchyard::config
