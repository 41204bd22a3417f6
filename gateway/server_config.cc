#include "server_config.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/address.h"
#include "config/endpoint_path.h"
#include "config/environment.h"

namespace switchyard {
namespace {

catalog::GroupView ViewOf(const config::Group& group) {
  return {.name = group.name,
          .prefix = group.effective_prefix(),
          .servers = group.servers,
          .by_load = group.choice == config::Group::Choice::kLeastLoaded};
}

}  // namespace

void KeepWhatRuns(config::Config& config, const config::Config& runs) {
  const auto keep = [](const char* key, auto& value, const auto& running) {
    if (value == running) return;
    spdlog::warn("reload: {} changes only with a restart", key);
    value = running;
  };
  config::Listen& listen = config.listen;
  keep("the address of listen", listen.host, runs.listen.host);
  keep("the port of listen", listen.port, runs.listen.port);
  keep("listen.workers", listen.workers, runs.listen.workers);
  keep("listen.max_body", listen.max_body, runs.listen.max_body);
  keep("listen.max_connections", listen.max_connections, runs.listen.max_connections);
  config::Sessions& sessions = config.sessions;
  keep("sessions.max", sessions.max, runs.sessions.max);
  keep("sessions.max_per_caller", sessions.max_per_caller, runs.sessions.max_per_caller);
  keep("sessions.max_streams", sessions.max_streams, runs.sessions.max_streams);
  keep("sessions.max_streams_per_caller", sessions.max_streams_per_caller,
       runs.sessions.max_streams_per_caller);
  keep("sessions.input_timeout", sessions.input_timeout, runs.sessions.input_timeout);
  keep("sessions.resume_grace", sessions.resume_grace, runs.sessions.resume_grace);
  keep("log.format", config.log.format, runs.log.format);
}

edge::Sessions::Options SessionsOf(const config::Sessions& sessions) {
  edge::Sessions::Options options;
  options.input_timeout = sessions.input_timeout;
  options.events.grace = sessions.resume_grace;
  options.sessions =
      edge::Quota::Make({.total = sessions.max, .per_owner = sessions.max_per_caller});
  options.streams = edge::Quota::Make(
      {.total = sessions.max_streams, .per_owner = sessions.max_streams_per_caller});
  return options;
}

std::string BaseOf(const config::Config& config, std::uint16_t port) {
  const config::Listen& listen = config.listen;
  if (!listen.public_url.empty()) return listen.public_url;
  if (!IsLoopbackHost(listen.host)) return "";
  const bool is_v6 = listen.host.contains(':');
  return (listen.tls ? "https://" : "http://") + (is_v6 ? "[" + listen.host + "]" : listen.host) +
         ":" + std::to_string(port);
}

edge::Access AccessOf(const config::Config& config, std::uint16_t port) {
  const config::Listen& listen = config.listen;
  edge::Access access{.loopback = IsLoopbackHost(listen.host),
                      .allowed_origins = listen.allowed_origins,
                      .allowed_hosts = listen.allowed_hosts,
                      .legacy_sse = listen.legacy_sse,
                      .gated = false};
  const bool connects = std::ranges::any_of(config.servers, [](const auto& named) {
    return named.second.enabled && config::IsConnected(named.second.credentials);
  });
  // The forms of our own pages: on loopback they could be anybody's otherwise.
  if (connects) access.allowed_origins.push_back(BaseOf(config, port));
  return access;
}

downstream::Parking::Limits ParkingLimitsOf(const config::Config& config) {
  return {.total = config.limits.parked_calls,
          .per_caller = config.limits.parked_calls_per_caller,
          .expiry = config.limits.parked_for};
}

approvals::Desk::Limits ApprovalLimitsOf(const config::Config& config) {
  return {.pending = config.limits.pending_approvals,
          .per_caller = config.limits.pending_approvals_per_caller};
}

unsigned WorkersOf(const config::Listen& listen, unsigned wanted) {
  if (wanted != 0) return wanted;
  return listen.workers != 0 ? listen.workers : std::max(1U, std::thread::hardware_concurrency());
}

bool IsChosenByLoad(const config::Config& config, const std::string& server) {
  return std::ranges::any_of(config.groups, [&server](const auto& named) {
    const config::Group& group = named.second;
    return group.choice == config::Group::Choice::kLeastLoaded &&
           std::ranges::find(group.servers, server) != group.servers.end();
  });
}

std::vector<catalog::EndpointView> ViewsOf(const config::Config& config) {
  std::vector<catalog::EndpointView> views(1);  // "" = everything at /mcp
  for (const auto& [name, group] : config.groups) views[0].groups.push_back(ViewOf(group));
  for (const auto& [name, endpoint] : config.endpoints) {
    views.push_back({.name = name,
                     .servers = endpoint.servers,
                     .include = endpoint.tools.include,
                     .exclude = endpoint.tools.exclude,
                     .transparent = endpoint.transparent});
    for (const auto& [group_name, group] : config.groups) {
      const bool all = endpoint.servers.empty();
      if (!all && std::ranges::find(endpoint.groups, group_name) == endpoint.groups.end()) continue;
      views.back().groups.push_back(ViewOf(group));
    }
  }
  return views;
}

std::vector<catalog::ServerNaming> NamingsOf(const config::Config& config) {
  std::vector<catalog::ServerNaming> namings;
  for (const auto& [name, server] : config.servers) {
    if (!server.enabled) continue;
    namings.push_back({.server = name,
                       .prefix = server.effective_prefix(),
                       .include = server.tools.include,
                       .exclude = server.tools.exclude});
    // All its tools are called so: while it starts, other names are nothing of its own.
    std::vector<std::string>& include = namings.back().include;
    if (server.builtin && include.empty()) include = {name + "_*"};
  }
  return namings;
}

Result<auth::Authenticators> AuthenticatorsOf(const config::Config& config, std::uint16_t port,
                                              const auth::ProviderOf& provider) {
  const auth::Place place{.public_url = config.listen.public_url,
                          .tls = config.listen.tls.has_value(),
                          .port = port,
                          .legacy_sse = config.listen.legacy_sse};
  std::map<std::string, const config::Auth*> all;
  if (config.auth) all[""] = &*config.auth;
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.auth) all[name] = &*endpoint.auth;
  }
  auth::Authenticators made;
  for (const auto& [name, auth] : all) {
    if (auth->none) continue;
    Result<std::shared_ptr<const auth::Authenticator>> one =
        auth::Authenticator::Make(*auth, name, place, provider);
    if (!one) {
      return Failure(std::move(one.error()).In(config::PathOfEndpoint(name)));
    }
    made.emplace(name, std::move(*one));
  }
  return made;
}

std::optional<config::Problem> AuthProblem(const config::Config& config) {
  config::Config here = config;
  const config::ProcessEnvironment files;
  const auto leave_out = [&files](std::optional<config::Auth>& auth) {
    if (!auth) return;
    if (!files.ReadFile(auth->api_keys_file)) auth->api_keys_file.clear();
    std::erase_if(auth->issuers, [&files](const config::Issuer& issuer) {
      return !issuer.keys_file.empty() && !files.ReadFile(issuer.keys_file);
    });
  };
  leave_out(here.auth);
  for (auto& [name, endpoint] : here.endpoints) leave_out(endpoint.auth);
  const Result<auth::Authenticators> made = AuthenticatorsOf(here, config.listen.port);
  if (made) return std::nullopt;
  return config::Problem{.file = {}, .at = {}, .path = "auth", .message = made.error().message};
}

std::vector<std::string> AuthFilesOf(const config::Config& config) {
  std::vector<std::string> files;
  const auto add = [&files](const std::optional<config::Auth>& auth) {
    if (!auth) return;
    if (!auth->api_keys_file.empty()) files.push_back(auth->api_keys_file);
    for (const config::Issuer& issuer : auth->issuers) {
      if (!issuer.keys_file.empty()) files.push_back(issuer.keys_file);
    }
  };
  add(config.auth);
  for (const auto& [name, endpoint] : config.endpoints) add(endpoint.auth);
  return files;
}

std::optional<edge::PlainAnswer> AnswerOf(admin::Page page) {
  return edge::PlainAnswer{.status = page.status,
                           .content_type = std::move(page.content_type),
                           .body = std::move(page.body),
                           .headers = std::move(page.headers)};
}

}  // namespace switchyard
