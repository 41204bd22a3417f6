// The whole configuration as plain structs with their defaults. Built by Load() (load.h), checked
// once there, then const: safe to read from any thread, and shared as one immutable snapshot.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace switchyard::config {

class Section;

// Makes one policy's settings of its mapping. `inherited` is what the enclosing level parsed for
// the same policy (global for a server or an endpoint) or null; a parser starts from a copy of it,
// so that a level only says what differs. Problems go into the Section; null means "had problems".
using PolicyParser = std::function<std::shared_ptr<const void>(Section, const void* inherited)>;

struct PolicyKey {
  std::string name;
  PolicyParser parse;
};

// What one level (global, endpoint or server) says about policies: only policies named at this
// level are here, each already merged with the enclosing level by its parser.
struct PolicySettings {
  std::map<std::string, std::shared_ptr<const void>> by_name;

  const void* Find(const std::string& name) const {
    auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second.get();
  }
};

// Only tools whose own (unprefixed) name matches an include glob and no exclude glob are offered.
struct ToolFilter {
  std::vector<std::string> include;  // empty = all
  std::vector<std::string> exclude;

  friend bool operator==(const ToolFilter&, const ToolFilter&) = default;
};

struct Listen {
  std::string host = "127.0.0.1";  // an IP address without brackets, or localhost
  std::uint16_t port = 8080;       // 0 = any free port
  std::vector<std::string> allowed_origins = {};
  std::vector<std::string> allowed_hosts = {};  // empty = what the address implies
  std::size_t max_body = 4 * 1024 * 1024;
  std::size_t max_connections = 16'384;
  unsigned workers = 0;  // 0 = one a core
  // The two-endpoint transport of 2024-11-05 at /sse, next to /mcp.
  bool legacy_sse = false;
};

// Sessions of legacy clients (2025-11-25 and before); modern ones have none.
struct Sessions {
  std::size_t max = 100'000;
  std::size_t max_per_caller = 1'000;  // where callers prove who they are; 0 = no cap
  std::size_t max_streams = 16'384;    // that last: GET, and /sse
  std::size_t max_streams_per_caller = 1'000;
  std::chrono::nanoseconds input_timeout = std::chrono::minutes(10);  // for a person to answer
  std::chrono::nanoseconds resume_grace = std::chrono::minutes(5);    // for a client to come back
};

enum class Era : std::uint8_t { kAuto, kModern, kLegacy };
std::string_view ToString(Era era);

// kAuto: Streamable HTTP, and HTTP+SSE (2024-11-05) where a server offers only that.
enum class HttpKind : std::uint8_t { kAuto, kStreamable, kSse };
std::string_view ToString(HttpKind kind);

// Exactly one of command and url is set.
struct Server {
  std::string name;
  bool enabled = true;

  Secret command;
  std::vector<Secret> args;
  std::map<std::string, Secret> env;  // added to a minimal environment, see downstream/process.h
  std::string cwd;                    // empty = the gateway's
  unsigned lanes = 8;  // processes of a legacy one, see downstream/lanes.h; 1 = no second

  Secret url;
  std::map<std::string, Secret> headers;
  std::string tls_ca;  // a PEM file, empty = the system's
  HttpKind transport = HttpKind::kAuto;

  std::optional<std::string> prefix;  // absent = name, "" = none
  ToolFilter tools;
  Era era = Era::kAuto;
  std::chrono::nanoseconds start_timeout = std::chrono::seconds(30);  // spawn to first lists
  std::chrono::nanoseconds list_timeout = std::chrono::seconds(10);
  PolicySettings policies;

  bool is_stdio() const { return !command.empty(); }
  const std::string& effective_prefix() const { return prefix ? *prefix : name; }
};

struct Endpoint {
  std::string name;                  // served at /mcp/<name>
  std::vector<std::string> servers;  // empty = all
  ToolFilter tools;
  bool transparent = false;  // no prefix, nothing rewritten; then `servers` has exactly one
  PolicySettings policies;
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kJson, kText };
std::string_view ToString(LogLevel level);
std::string_view ToString(LogFormat format);

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  bool calls = true;  // one line a call
};

// What clients may keep the gateway busy with.
struct Limits {
  std::size_t parked_calls = 1000;  // calls that wait for an answer of their client
  std::size_t parked_calls_per_caller = 64;
  std::chrono::nanoseconds parked_for = std::chrono::minutes(10);
};

struct Config {
  Listen listen;
  Sessions sessions;
  std::map<std::string, Server> servers;  // by name
  std::map<std::string, Endpoint> endpoints;
  PolicySettings policies;
  Log log;
  Limits limits;
  std::size_t page_size = 0;  // tools a list page, 0 = all on one page
};

}  // namespace switchyard::config
