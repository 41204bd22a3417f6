#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/glob.h"
#include "config/read.h"
#include "config/rules.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

constexpr std::chrono::nanoseconds kShortest = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(1);

// Asks for every key on every path; see section.h.
void CheckKind(Section& section) {
  const bool command = section.Has("command");
  const bool url = section.Has("url");
  if (command && url) {
    section.Error("", "has both command and url, expected exactly one");
  } else if (!command && !url) {
    section.Error("", "needs command (a program to start) or url (a server to reach)");
  }
  for (const char* key : {"args", "env", "cwd", "lanes"}) {
    if (section.Has(key) && url && !command) {
      section.Error(key, "only a server with command has this key, not one with url");
    }
  }
  for (const char* key : {"headers", "tls_ca", "tls_pin", "transport", "credentials"}) {
    if (section.Has(key) && command && !url) {
      section.Error(key, "only a server with url has this key, not one with command");
    }
  }
}

std::optional<Secret> NotEmpty(Section& section, std::string_view key) {
  auto text = section.SecretString(key);
  if (!text) return std::nullopt;
  if (text->empty()) {
    section.Error(key, "must not be empty");
    return std::nullopt;
  }
  return text;
}

std::map<std::string, Secret> ReadEnv(Section& section) {
  auto env = section.SecretMap("env").value_or(std::map<std::string, Secret>());
  for (const auto& [name, value] : env) {
    if (IsVariableName(name)) continue;
    section.Error("env." + name,
                  "is not the name of a variable: expected A-Z a-z 0-9 _, no digit first");
  }
  return env;
}

std::map<std::string, Secret> ReadHeaders(Section& section, const std::optional<Secret>& url) {
  auto headers = section.SecretMap("headers").value_or(std::map<std::string, Secret>());
  std::set<std::string> seen;
  for (const auto& [name, value] : headers) {
    const std::string key = "headers." + name;
    if (auto problem = HeaderNameProblem(name)) section.Error(key, std::move(*problem));
    if (!IsHeaderValue(value.Reveal())) {
      section.Error(key, "a header value must be one line without control characters");
    }
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    if (!seen.insert(std::move(lower)).second) {
      section.Error(key, "is set twice; the case of a header's name does not matter");
    }
  }
  if (!headers.empty() && url && IsCleartextToElsewhere(*url)) {
    section.Warning("url", "sends headers over http, where others can read them; use https");
  }
  return headers;
}

std::optional<std::string> ReadPrefix(Section& section) {
  const auto prefix = section.SecretString("prefix");
  if (!prefix) return std::nullopt;
  if (!prefix->empty() && !IsName(prefix->Reveal())) {
    section.Error("prefix",
                  "must be empty or " + std::string(kNameRule) + ", got " + Quote(prefix->Shown()));
  }
  return prefix->Reveal();
}

Era ReadEra(Section& section) {
  const auto word = section.Enum("era", {"auto", "modern", "legacy"});
  if (word == "modern") return Era::kModern;
  if (word == "legacy") return Era::kLegacy;
  return Era::kAuto;
}

// HTTP+SSE exists in the legacy era only, so finding out is skipped.
void ReadTransport(Section& section, Server& server) {
  const auto word = section.Enum("transport", {"auto", "streamable-http", "sse"});
  if (word == "streamable-http") server.transport = HttpKind::kStreamable;
  if (word != "sse") return;
  server.transport = HttpKind::kSse;
  if (server.era == Era::kModern) {
    section.Error("transport", "sse is of the legacy era, but era says modern");
  }
  server.era = Era::kLegacy;
}

// Each request is sent with what it takes; the one stream of HTTP+SSE would be everybody's.
void CheckShown(Section& section, Server& server, const std::optional<Secret>& url) {
  if (!server.credentials) return;
  if (server.transport == HttpKind::kSse) {
    section.Error("transport", "sse cannot be used with credentials: its stream is one for all");
  }
  server.transport = HttpKind::kStreamable;
  const ServerCredentials& shown = *server.credentials;
  if (shown.kind == ServerCredentials::Kind::kPerUser && shown.by != "subject" &&
      shown.by != "client" && server.era != Era::kModern) {
    section.Error("era",
                  "must be modern where credentials go by a claim: sessions of the legacy "
                  "era are told apart by subject and client");
  }
  if (url && IsCleartextToElsewhere(*url)) {
    section.Error("url", "sends credentials over http, where others can read them; use https");
  }
}

void CheckGlobs(Section& section, std::string_view key, const std::vector<std::string>& globs) {
  for (std::size_t i = 0; i < globs.size(); ++i) {
    if (IsToolGlob(globs[i])) continue;
    section.Error(std::string(key) + "[" + std::to_string(i) + "]", kToolGlobRule);
  }
}

std::vector<std::string> ReadGlobs(Section& section, std::string_view key) {
  auto globs = section.Strings(key).value_or(std::vector<std::string>());
  CheckGlobs(section, key, globs);
  return globs;
}

std::vector<std::string> ReadChosen(Section& section, const std::vector<std::string>& known) {
  std::vector<std::string> out;
  const auto chosen = section.SecretStrings("servers").value_or(std::vector<Secret>());
  for (const Secret& server : chosen) {
    const std::string& name = server.Reveal();
    const std::string key = "servers[" + std::to_string(out.size()) + "]";
    if (std::ranges::find(known, name) == known.end()) {
      const std::string hint = DidYouMean(server.Shown(), known);
      section.Error(key, "unknown server " + Quote(server.Shown()) + hint +
                             (hint.empty() ? ", known: " : " known: ") + Listing(known));
    } else if (std::ranges::find(out, name) != out.end()) {
      section.Error(key, "names " + Quote(server.Shown()) + " a second time");
    }
    out.push_back(name);
  }
  return out;
}

}  // namespace

ToolFilter ReadTools(Section& parent) {
  ToolFilter filter;
  if (parent.IsList("tools")) {
    filter.include = ReadGlobs(parent, "tools");
    return filter;
  }
  auto section = parent.Child("tools", "a list of patterns or a mapping of include and exclude");
  if (!section) return filter;
  filter.include = ReadGlobs(*section, "include");
  filter.exclude = ReadGlobs(*section, "exclude");
  const bool nothing = std::ranges::all_of(filter.include, [&filter](const std::string& wanted) {
    return std::ranges::any_of(filter.exclude, [&wanted](const std::string& unwanted) {
      return GlobCovers(unwanted, wanted);
    });
  });
  if (!filter.include.empty() && nothing) {
    section->Error("exclude", "takes out all that include names, so no tool would be offered");
  }
  return filter;
}

Server ReadServer(std::string name, Section section, std::span<const PolicyKey> keys,
                  const Config& config) {
  const PolicyLevel& global = config.policies;
  Server server;
  server.name = std::move(name);
  CheckKind(section);
  if (auto on = section.Bool("enabled")) server.enabled = *on;
  if (auto command = NotEmpty(section, "command")) server.command = std::move(*command);
  if (auto args = section.SecretStrings("args")) server.args = std::move(*args);
  server.env = ReadEnv(section);
  if (auto cwd = NotEmpty(section, "cwd")) server.cwd = cwd->Reveal();
  if (auto count = section.Integer("lanes", 1, 64)) server.lanes = static_cast<unsigned>(*count);
  const auto url = NotEmpty(section, "url");
  if (url) {
    if (auto problem = UrlProblem(*url)) section.Error("url", std::move(*problem));
    server.url = *url;
  }
  server.headers = ReadHeaders(section, url);
  if (auto file = NotEmpty(section, "tls_ca")) server.tls_ca = file->Reveal();
  if (auto file = NotEmpty(section, "tls_pin")) server.tls_pin = file->Reveal();
  if (section.Has("tls_pin") && section.Has("tls_ca")) {
    section.Error(
        "tls_pin",
        "it names the very certificate, so tls_ca would say nothing; leave one of the two");
  }
  server.prefix = ReadPrefix(section);
  server.tools = ReadTools(section);
  server.era = ReadEra(section);
  ReadTransport(section, server);
  server.credentials = ReadServerCredentials(section);
  CheckShown(section, server, url);
  if (auto t = section.Duration("start_timeout", kShortest, kLongest)) server.start_timeout = *t;
  if (auto t = section.Duration("list_timeout", kShortest, kLongest)) server.list_timeout = *t;
  server.pinning = ReadServerPins(section, config.pinning);
  server.policies =
      ReadPolicies(section, keys, {&global}, {.level = Level::kServer, .name = server.name});
  server.tool_policies = ReadToolPolicies(section, keys, {&global, &server.policies}, server.name);
  return server;
}

Endpoint ReadEndpoint(std::string name, Section section, std::span<const PolicyKey> keys,
                      const Config& config, const std::vector<std::string>& names) {
  Endpoint endpoint;
  endpoint.name = std::move(name);
  endpoint.servers = ReadChosen(section, names);
  endpoint.tools = ReadTools(section);
  if (auto on = section.Bool("transparent")) endpoint.transparent = *on;
  if (endpoint.transparent && endpoint.servers.size() != 1) {
    section.Error("transparent", "needs exactly one server in servers, got " +
                                     std::to_string(endpoint.servers.size()));
  }
  ExpandGroups(section, config.groups, endpoint);
  endpoint.policies = ReadPolicies(section, keys, {&config.policies},
                                   {.level = Level::kEndpoint, .name = endpoint.name});
  endpoint.auth = ReadAuth(section, config.auth);
  return endpoint;
}

std::string_view ToString(Era era) {
  switch (era) {
    case Era::kAuto: return "auto";
    case Era::kModern: return "modern";
    case Era::kLegacy: return "legacy";
  }
  return "auto";
}

std::string_view ToString(HttpKind kind) {
  switch (kind) {
    case HttpKind::kAuto: return "auto";
    case HttpKind::kStreamable: return "streamable-http";
    case HttpKind::kSse: return "sse";
  }
  return "auto";
}

}  // namespace switchyard::config
