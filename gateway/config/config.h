// The whole configuration as plain structs with their defaults. Built by Load() (load.h), checked
// once there, then const: safe to read from any thread, and shared as one immutable snapshot.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/auth.h"
#include "config/credentials.h"
#include "config/policy_levels.h"
#include "config/secret.h"
#include "config/written.h"

namespace switchyard::config {

// Only tools whose own (unprefixed) name matches an include glob and no exclude glob are offered.
struct ToolFilter {
  std::vector<std::string> include;  // empty = all
  std::vector<std::string> exclude;

  friend bool operator==(const ToolFilter&, const ToolFilter&) = default;
};

// Of the listener; PEM files.
struct Tls {
  enum class ClientCertificate : std::uint8_t { kRequired, kOptional };

  std::string certificate;  // and those between it and its authority, in this order
  std::string key;
  std::string client_ca;  // of clients' certificates; empty = none is asked for
  ClientCertificate client_certificate = ClientCertificate::kRequired;
};
std::string_view ToString(Tls::ClientCertificate word);

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
  std::optional<Tls> tls = {};  // absent = plain HTTP
  // How clients reach it, `https://mcp.example.com`, without a path; empty = by its address.
  std::string public_url = {};
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

// What is done with definitions of tools and the like that change, or look bad
// (docs/policies/pinning.md).
struct Pinning {
  enum class Act : std::uint8_t { kOff, kWarn, kQuarantine };
  enum class Severity : std::uint8_t { kLow, kMedium, kHigh };

  Act change = Act::kOff;
  bool only_accepted = false;  // those that nobody accepted are as good as changed
  Act scan = Act::kOff;
  Severity threshold = Severity::kMedium;  // of what the scan finds

  bool on() const { return change != Act::kOff || scan != Act::kOff; }
  // Where the configuration speaks of it at all.
  static Pinning Default() { return {.change = Act::kQuarantine, .scan = Act::kWarn}; }
};
std::string_view ToString(Pinning::Act act);
std::string_view ToString(Pinning::Severity severity);

// Exactly one of command and url is set, but for one that is built in.
struct Server {
  std::string name;
  bool enabled = true;

  bool builtin = false;  // the gateway is it: see Orchestration

  Secret command;
  std::vector<Secret> args;
  std::map<std::string, Secret> env;  // added to a minimal environment, see downstream/process.h
  std::string cwd;                    // empty = the gateway's
  unsigned lanes = 8;  // processes of a legacy one, see downstream/lanes.h; 1 = no second

  Secret url;
  std::map<std::string, Secret> headers;
  std::string tls_ca;   // a PEM file, empty = the system's
  std::string tls_pin;  // a PEM file of the one certificate that the server may show; empty = any
  HttpKind transport = HttpKind::kAuto;
  std::optional<ServerCredentials> credentials = {};  // then transport is kStreamable

  std::optional<std::string> prefix;  // absent = name, "" = none
  ToolFilter tools;
  Era era = Era::kAuto;
  std::chrono::nanoseconds start_timeout = std::chrono::seconds(30);  // spawn to first lists
  std::chrono::nanoseconds list_timeout = std::chrono::seconds(10);
  Pinning pinning;
  PolicyLevel policies;
  std::vector<PolicyLevel> tool_policies;  // by globs over its own tool names, in file order

  bool is_stdio() const { return !command.empty(); }
  const std::string& effective_prefix() const { return prefix ? *prefix : name; }
};

// Interchangeable servers that clients see as one.
struct Group {
  enum class Choice : std::uint8_t { kPriority, kLeastLoaded };

  std::string name;
  std::optional<std::string> prefix;  // absent = name, "" = none
  std::vector<std::string> servers;   // best first: by priority, then as they stand in the file
  Choice choice = Choice::kPriority;

  const std::string& effective_prefix() const { return prefix ? *prefix : name; }
};

struct Endpoint {
  std::string name;                  // served at /mcp/<name>
  std::vector<std::string> servers;  // those of groups included; empty = all
  std::vector<std::string> groups;   // which stand in `servers` of the file; all = all
  ToolFilter tools;
  bool transparent = false;  // no prefix, nothing rewritten; then `servers` has exactly one
  PolicyLevel policies;
  std::optional<Auth> auth = {};  // in effect: what it says itself on top of the gateway's
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
  std::size_t pending_approvals = 1000;  // calls that wait for a person
  std::size_t pending_approvals_per_caller = 16;
};

// What policies count: how much of it, and what outlives the process.
struct State {
  std::string dir;                 // absolute; empty = nothing does
  std::size_t max_keys = 100'000;  // callers and the like that each limit tells apart
};

// The log of records (docs/policies/audit.md): where it is, and what becomes of calls that cannot
// be recorded. What is recorded of which calls is the policy's.
struct Audit {
  enum class OnFailure : std::uint8_t { kRefuse, kDrop };
  enum class Sync : std::uint8_t { kNone, kInterval, kEach };
  // What counts as unusual of one caller within `window`; 0 = nothing does.
  struct Anomalies {
    std::chrono::nanoseconds window = std::chrono::minutes(1);
    std::uint32_t denials = 10;
    std::uint32_t calls = 1000;
    bool unseen_tools = true;
    std::chrono::nanoseconds learn = std::chrono::hours(1);  // what a new caller uses is learnt
    std::size_t callers = 10'000;                            // that are watched at a time

    friend bool operator==(const Anomalies&, const Anomalies&) = default;
  };

  std::string path;  // absolute; empty = there is no log
  Secret key;        // empty = a chain without a key
  OnFailure on_failure = OnFailure::kRefuse;
  Sync sync = Sync::kInterval;
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(1);
  std::size_t max_size = std::size_t{64} << 20;               // of a file
  std::chrono::nanoseconds max_age = std::chrono::hours(24);  // of a file
  std::size_t keep_files = 100;                               // before the one that is written
  std::chrono::nanoseconds keep_for = std::chrono::nanoseconds(0);  // 0 = whatever their age
  Anomalies anomalies = {};
};
std::string_view ToString(Audit::OnFailure word);
std::string_view ToString(Audit::Sync word);

// Whom the gateway asks on its own behalf, beside the servers: issuers, hooks and the like.
struct Fetch {
  std::vector<std::string> allow = {};  // places inside the network, see base/http/place.h
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  std::size_t max_bytes = std::size_t{1} << 20;  // of an answer
  std::string tls_ca = {};                       // a PEM file, empty = the system's
};

// Who may use the admin API (docs/policies/approval.md).
struct Admin {
  Secret token;  // empty = this machine alone, if at all
};

// The built-in service for tasks and agents (docs/orchestration.md): a server like any other, under
// the name `orchestration`.
struct Orchestration {
  static constexpr const char* kServer = "orchestration";
  bool enabled = false;  // where the configuration speaks of it: true
  std::chrono::nanoseconds lease = std::chrono::minutes(5);       // of a task, without a heartbeat
  std::chrono::nanoseconds away_after = std::chrono::minutes(5);  // of an agent that says nothing
  std::chrono::nanoseconds retain = std::chrono::hours(7 * 24);   // of finished tasks
  std::int64_t max_tasks = 2'000'000;                             // that are kept
  std::size_t max_bytes = std::size_t{1} << 30;                   // of all records, about
  // What get_health calls degraded: shares from 0 to 1 below, and more tasks than these.
  struct Health {
    double least_success = 0.8, least_agent_success = 0.7, least_routed = 0.8;
    std::int64_t most_active = 100;
  } health = {};
  // By right (register, assign, cancel, force, vouch): the roles that have it. One that is not here
  // everybody has; but force and vouch nobody.
  std::map<std::string, std::vector<std::string>> roles = {};
  std::chrono::nanoseconds responsive_within = std::chrono::minutes(1);  // what checks go by
  struct Messages {
    std::size_t limit = 60;  // that an agent may send within the window
    std::chrono::nanoseconds window = std::chrono::minutes(1);
    std::chrono::nanoseconds retain = std::chrono::hours(7 * 24);
    std::size_t max_bytes = std::size_t{256} << 20;  // of all that are kept
  } messages;
  std::vector<Secret> keys = {};  // of confidential messages; the first one encrypts
  // Models that split tasks: the client's own by sampling, before the one behind the URL.
  struct Planner {
    bool sampling = false;
    Secret url = {};  // of chat completions; empty = none
    std::string model = {};
    Secret key = {};
    std::chrono::nanoseconds timeout = std::chrono::seconds(20);
    std::size_t max_parts = 20, concurrency = 8;
    bool on() const { return sampling || !url.empty(); }
  } planner = {};
};

struct Config {
  Listen listen;
  std::optional<Auth> auth;  // of /mcp, and what endpoints inherit; absent = nothing was said
  Sessions sessions;
  std::map<std::string, Server> servers;  // by name
  std::map<std::string, Group> groups;
  std::map<std::string, Endpoint> endpoints;
  PolicyLevel policies;
  Log log;
  Limits limits;
  State state;
  Admin admin;
  Audit audit;
  Fetch fetch;
  Credentials credentials;
  Orchestration orchestration;
  Pinning pinning;            // of servers that say nothing of it
  std::string pins_file;      // what is pinned; empty = nothing is
  std::size_t page_size = 0;  // tools a list page, 0 = all on one page
  WrittenFile written;        // what the file says, whoever reads it
};

}  // namespace switchyard::config
