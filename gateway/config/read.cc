#include "config/read.h"

#include <map>
#include <utility>

#include "config/open.h"
#include "config/rules.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

void ReadAddress(Section& section, std::string_view key, Listen& listen) {
  const auto text = section.SecretString(key);
  if (!text) return;
  auto address = ParseAddress(*text);
  if (!address) {
    section.Error(key, std::move(address.error()));
    return;
  }
  listen.host = std::move(address->host);
  listen.port = address->port;
}

std::string ReadPublicUrl(Section& section) {
  const auto url = section.SecretString("public_url");
  if (!url) return "";
  if (OriginProblem(*url) ||
      (!url->Reveal().starts_with("https://") && !url->Reveal().starts_with("http://"))) {
    section.Error("public_url",
                  "must be how clients reach the gateway, such as https://mcp.example.com, without "
                  "a path");
  }
  return url->Reveal();
}

std::vector<std::string> ReadOrigins(Section& section) {
  std::vector<std::string> out;
  const auto origins = section.SecretStrings("allowed_origins");
  for (std::size_t i = 0; origins && i < origins->size(); ++i) {
    if (auto problem = OriginProblem((*origins)[i])) {
      section.Error("allowed_origins[" + std::to_string(i) + "]", std::move(*problem));
    }
    out.push_back((*origins)[i].Reveal());
  }
  return out;
}

std::vector<std::string> ReadHosts(Section& section) {
  auto hosts = section.Strings("allowed_hosts").value_or(std::vector<std::string>());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!hosts[i].empty() && hosts[i].find_first_of("/ @?#") == std::string::npos) continue;
    section.Error("allowed_hosts[" + std::to_string(i) + "]",
                  "must be a host name such as mcp.example.com, with or without a port");
  }
  return hosts;
}

std::string ReadFileName(Section& section, const char* key, bool needed) {
  const auto file = section.SecretString(key);
  const bool has = file && !file->empty();
  if (!has && (needed || file)) section.Error(key, "must name a PEM file");
  return has ? file->Reveal() : "";
}

std::optional<Tls> ReadTls(Section& listen) {
  auto section = listen.Child("tls");
  if (!section) return std::nullopt;
  Tls tls;
  tls.certificate = ReadFileName(*section, "certificate", true);
  tls.key = ReadFileName(*section, "key", true);
  tls.client_ca = ReadFileName(*section, "client_ca", false);
  const bool asks = section->Has("client_ca");
  if (!asks && section->Has("client_certificate")) {
    section->Error("client_certificate", "needs client_ca: the authority of those certificates");
  }
  const auto word = section->Enum("client_certificate", {"required", "optional"});
  if (word == "optional") tls.client_certificate = Tls::ClientCertificate::kOptional;
  return tls;
}

Listen ReadListen(Section& root) {
  constexpr std::size_t kKiB = 1024;
  Listen listen;
  if (!root.IsMapping("listen")) {
    ReadAddress(root, "listen", listen);
    return listen;
  }
  auto section = root.Child("listen");
  listen.tls = ReadTls(*section);
  ReadAddress(*section, "address", listen);
  listen.public_url = ReadPublicUrl(*section);
  listen.allowed_origins = ReadOrigins(*section);
  listen.allowed_hosts = ReadHosts(*section);
  if (auto bytes = section->Bytes("max_body", kKiB, kKiB * kKiB * kKiB)) listen.max_body = *bytes;
  if (auto count = section->Integer("max_connections", 1, 1'000'000)) {
    listen.max_connections = static_cast<std::size_t>(*count);
  }
  if (auto count = section->Integer("workers", 0, 256)) {
    listen.workers = static_cast<unsigned>(*count);
  }
  if (auto on = section->Bool("legacy_sse")) listen.legacy_sse = *on;
  return listen;
}

Sessions ReadSessions(Section& root) {
  using namespace std::chrono_literals;
  Sessions sessions;
  auto section = root.Child("sessions");
  if (!section) return sessions;
  const auto count = [&section](std::string_view key, std::int64_t min, std::size_t& into) {
    if (auto value = section->Integer(key, min, 10'000'000))
      into = static_cast<std::size_t>(*value);
  };
  count("max", 1, sessions.max);
  count("max_per_caller", 0, sessions.max_per_caller);
  count("max_streams", 1, sessions.max_streams);
  count("max_streams_per_caller", 0, sessions.max_streams_per_caller);
  if (auto time = section->Duration("input_timeout", 1s, 24h)) sessions.input_timeout = *time;
  if (auto time = section->Duration("resume_grace", 1s, 24h)) sessions.resume_grace = *time;
  return sessions;
}

Log ReadLog(Section& root) {
  Log log;
  auto section = root.Child("log");
  if (!section) return log;
  constexpr LogLevel kLevels[] = {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo,
                                  LogLevel::kWarn,  LogLevel::kError, LogLevel::kOff};
  if (auto word = section->Enum("level", {"trace", "debug", "info", "warn", "error", "off"})) {
    for (LogLevel level : kLevels) {
      if (ToString(level) == *word) log.level = level;
    }
  }
  if (auto word = section->Enum("format", {"json", "text"})) {
    log.format = *word == "json" ? LogFormat::kJson : LogFormat::kText;
  }
  if (auto on = section->Bool("calls")) log.calls = *on;
  return log;
}

Limits ReadLimits(Section& root) {
  Limits limits;
  auto section = root.Child("limits");
  if (!section) return limits;
  if (auto count = section->Integer("parked_calls", 0, 1'000'000)) {
    limits.parked_calls = static_cast<std::size_t>(*count);
  }
  if (auto count = section->Integer("parked_calls_per_caller", 0, 1'000'000)) {
    limits.parked_calls_per_caller = static_cast<std::size_t>(*count);
  }
  if (auto time = section->Duration("parked_for")) limits.parked_for = *time;
  if (auto count = section->Integer("pending_approvals", 0, 100'000)) {
    limits.pending_approvals = static_cast<std::size_t>(*count);
  }
  if (auto count = section->Integer("pending_approvals_per_caller", 0, 100'000)) {
    limits.pending_approvals_per_caller = static_cast<std::size_t>(*count);
  }
  return limits;
}

Admin ReadAdmin(Section& root) {
  constexpr std::size_t kShortestToken = 16;
  Admin admin;
  auto section = root.Child("admin");
  if (!section) return admin;
  if (auto token = section->SecretString("token")) {
    if (!token->empty() && token->Reveal().size() < kShortestToken) {
      section->Error("token", "must be 16 bytes or more, or it could be guessed");
    }
    admin.token = std::move(*token);
  }
  return admin;
}

State ReadState(Section& root) {
  State state;
  auto section = root.Child("state");
  if (!section) return state;
  if (auto dir = section->String("dir")) {
    if (!dir->empty() && !dir->starts_with('/')) {
      section->Error("dir",
                     "must be an absolute path such as /var/lib/switchyard, got " + Quote(*dir));
    }
    state.dir = std::move(*dir);
  }
  if (const auto keys = section->Integer("max_keys", 1000, 100'000'000)) {
    state.max_keys = static_cast<std::size_t>(*keys);
  }
  return state;
}

// Where an issuer has a login first.
struct LoginAt {
  std::string key;
  const Issuer* issuer = nullptr;
};

// Without what each endpoint may say of those whom it lets in.
Issuer Believed(Issuer issuer) {
  issuer.login.reset();
  issuer.audience.clear();
  issuer.required_claims.clear();
  for (auto* claims :
       {&issuer.client, &issuer.scopes, &issuer.roles, &issuer.groups, &issuer.capabilities}) {
    claims->clear();
  }
  return issuer;
}

// Two names of one page would have each of them take what is meant for the other one.
void CheckLoginPages(Section& root, const std::map<std::string_view, LoginAt>& logins) {
  std::map<std::string_view, std::string_view> pages;
  for (const auto& [name, login] : logins) {
    const auto [other, is_new] = pages.try_emplace(PageOf(name), name);
    if (is_new) continue;
    root.Error(login.key, "has a login at issuer " + Quote(name) + ", and another one is at " +
                              Quote(other->second) +
                              ": browsers would come back from both to one page; write the issuer "
                              "everywhere as its tokens name it");
  }
}

// Who connects an account is known by the issuer's name alone, at whichever endpoint.
void CheckLogins(Section& root, const Config& config) {
  std::vector<std::pair<std::string, const Auth*>> all;
  if (config.auth) all.emplace_back("auth", &*config.auth);
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.auth) all.emplace_back("endpoints." + name, &*endpoint.auth);
  }
  std::map<std::string_view, LoginAt> with_login;
  for (const auto& [key, auth] : all) {
    for (const Issuer& issuer : auth->issuers) {
      if (issuer.login) with_login.try_emplace(issuer.issuer, LoginAt{key, &issuer});
    }
  }
  for (const auto& [key, auth] : all) {
    for (const Issuer& issuer : auth->issuers) {
      const auto found = with_login.find(issuer.issuer);
      if (found == with_login.end()) continue;
      const Issuer& other = *found->second.issuer;
      const bool same = Believed(issuer) == Believed(other);
      if (same && (!issuer.login || issuer.login == other.login)) continue;
      root.Error(key, "has issuer " + Quote(issuer.issuer) +
                          " with another login, claims.subject, clock_skew, algorithms or keys "
                          "than elsewhere; who signs in there is the same at all endpoints: write "
                          "the same at each");
    }
  }
  CheckLoginPages(root, with_login);
}

// What auth and the listener need of each other.
void CheckAuth(Section& root, const Config& config) {
  if (std::optional<std::string> problem = OpenProblem(config)) {
    root.Error("listen", std::move(*problem));
  } else {
    for (std::string& warning : OpenWarnings(config)) root.Warning("auth", std::move(warning));
  }
  const auto check = [&](const std::string& key, const std::optional<Auth>& auth) {
    if (!auth || auth->none) return;
    if (!auth->certificates.empty() &&
        (!config.listen.tls || config.listen.tls->client_ca.empty())) {
      root.Error(key, "certificates needs listen.tls.client_ca: nobody is asked for one otherwise");
    }
    if (!auth->issuers.empty() && NeedsPublicUrl(config.listen)) {
      root.Error(key,
                 "issuers needs listen.public_url: clients are told by it for whom a token "
                 "has to be, and tokens are compared with it");
    }
  };
  check("auth", config.auth);
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.auth != config.auth) check("endpoints." + name, endpoint.auth);
  }
}

bool CheckName(Section& root, const std::string& key, const std::string& name) {
  if (IsName(name)) return true;
  root.Error(key + "." + name, "a name must be " + std::string(kNameRule));
  return false;
}

// Two servers whose tools would get the same names. No prefix at all is fine for many: whether
// their tools collide is known only when they are listed.
void CheckPrefixes(Section& root, const Config& config, const std::vector<std::string>& order) {
  std::map<std::string, std::string> owners;
  for (const std::string& name : order) {
    const Server& server = config.servers.at(name);
    const std::string& prefix = server.effective_prefix();
    if (prefix.empty()) continue;
    const auto [owner, is_new] = owners.try_emplace(prefix, name);
    if (is_new) continue;
    root.Error("servers." + name, "has the prefix " + Quote(prefix) + " of servers." +
                                      owner->second + ", expected one of its own");
  }
}

void ReadServers(Section& root, std::span<const PolicyKey> keys, Config& config,
                 std::vector<std::string>& names) {
  if (!root.Has("servers")) {
    root.Error("servers", "is missing, expected a mapping of names to servers");
    return;
  }
  std::vector<std::string> read;
  for (auto& [name, section] : root.Children("servers")) {
    names.push_back(name);
    CheckName(root, "servers", name);
    config.servers.emplace(name, ReadServer(name, std::move(section), keys, config));
    read.push_back(name);
  }
  CheckPrefixes(root, config, read);
}

}  // namespace

Config ReadConfig(Document& document, std::span<const PolicyKey> keys) {
  Config config;
  auto root = document.Root();
  if (!root) return config;
  root->Ignore(kNobodys);
  config.policies = ReadPolicies(*root, keys, {}, {});
  config.listen = ReadListen(*root);
  config.auth = ReadAuth(*root, {});
  config.sessions = ReadSessions(*root);
  config.log = ReadLog(*root);
  config.limits = ReadLimits(*root);
  config.state = ReadState(*root);
  config.admin = ReadAdmin(*root);
  config.audit = ReadAudit(*root);
  config.fetch = ReadFetch(*root);
  config.credentials = ReadCredentials(*root);
  config.pinning = ReadPins(*root, config.pins_file);
  if (auto size = root->Integer("page_size", 0, 100'000)) {
    config.page_size = static_cast<std::size_t>(*size);
  }
  std::vector<std::string> names;
  ReadServers(*root, keys, config, names);
  ReadOrchestration(*root, keys, config, names);
  PlacePins(*root, config);
  PlaceCredentials(*root, config);
  ReadGroups(*root, config);
  const std::vector<std::string> servers = names;
  for (const auto& [name, group] : config.groups) names.push_back(name);
  std::vector<std::string> paths = {"/mcp"};
  for (auto& [name, section] : root->Children("endpoints")) {
    CheckName(*root, "endpoints", name);
    config.endpoints.emplace(name, ReadEndpoint(name, std::move(section), keys, config, names));
    paths.push_back("/mcp/" + name);
  }
  document.CheckNames(servers, paths);
  CheckCombinations(config, keys, document.problems());
  CheckNeeds(config, keys, document.problems());
  CheckAuth(*root, config);
  CheckLogins(*root, config);
  if (!document.problems().has_errors()) {
    config.written = WrittenIn(root->Keep(), document.secrets());
  }
  return config;
}

std::string_view ToString(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return "trace";
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
    case LogLevel::kOff: return "off";
  }
  return "info";
}

std::string_view ToString(LogFormat format) { return format == LogFormat::kJson ? "json" : "text"; }

std::string_view ToString(Tls::ClientCertificate word) {
  return word == Tls::ClientCertificate::kOptional ? "optional" : "required";
}

}  // namespace switchyard::config
