// The cache's settings: what is said of it in the configuration, and what that says of a call and
// of an answer. Of policies/cache.cc and policies/cache/ alone. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/result.h"
#include "config/section.h"
#include "core/definition.h"
#include "mcp/method.h"
#include "policies/lib/answer_cache.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/settings.h"
#include "policies/lib/writer_words.h"

namespace switchyard::policies::cache {

struct CacheSettings {
  static constexpr std::array<mcp::Method, 3> kMethods = {
      mcp::Method::kToolsCall, mcp::Method::kResourcesRead, mcp::Method::kPromptsGet};

  bool enabled = false;  // nobody said anything
  Duration ttl{};
  bool server_ttl = true;
  Duration max_ttl = std::chrono::hours(1);
  Duration negative_ttl{};
  Duration stale_if_error{};
  Duration stale_while_open{};
  Duration keep_stale{};
  std::bitset<3> methods = 0b111;  // of kMethods
  bool read_only = true;           // hints that are believed
  // Not unless said: what may be repeated may still write ("delete this" is idempotent).
  bool idempotent = false;
  std::vector<std::string> allow = {};
  std::vector<std::string> invalidates = {};
  std::string key_text = {};
  KeyTemplate key = {};
  std::size_t max_entry = std::size_t{1} << 20;
  std::size_t max_bytes = std::size_t{64} << 20;

  // Whether answers to it may be kept at all. `tool`: of a tools/call, which needs one.
  bool Permits(mcp::Method method, const Definition* tool) const;
  // The operator's or, where it gives one, the server's own. `server_ttl_ms`: as the result has it.
  Duration TtlFor(std::optional<std::uint64_t> server_ttl_ms) const;
  // How long after its time an answer may stand in for this error.
  Duration StaleFor(const Error& error) const;
  bool keeps_tools() const { return methods[0]; }
  // How long after its time an answer is kept.
  Duration longest_stale() const {
    return std::max({stale_if_error, stale_while_open, keep_stale});
  }
};

inline constexpr std::string_view kReadOnly = "read_only";
inline constexpr std::string_view kIdempotent = "idempotent";

inline bool Names(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// The glob of `servers.<s>.tool_policies.<glob>.cache`; "" = this mapping stands elsewhere.
inline std::string_view ToolGlobOf(std::string_view path) {
  constexpr std::string_view kBefore = ".tool_policies.";
  constexpr std::string_view kBehind = ".cache";
  const std::size_t at = path.find(kBefore);
  if (!path.starts_with("servers.") || at == std::string_view::npos || !path.ends_with(kBehind)) {
    return {};
  }
  path.remove_prefix(at + kBefore.size());
  path.remove_suffix(kBehind.size());
  return path;
}

inline void TakeMethods(config::Section& section, std::bitset<3>& methods) {
  if (const auto words = section.Strings("methods")) {
    methods.reset();
    for (const std::string& word : *words) {
      const auto found = std::ranges::find(CacheSettings::kMethods, mcp::FindMethod(word).method);
      if (found == CacheSettings::kMethods.end()) {
        section.Error("methods", fmt::format("expected tools/call, resources/read or prompts/get, "
                                             "got {}",
                                             word));
        continue;
      }
      methods.set(static_cast<std::size_t>(found - CacheSettings::kMethods.begin()));
    }
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i]) names.push_back(mcp::Info(CacheSettings::kMethods[i]).name);
  }
  section.Shows("methods", fmt::format("[{}]", fmt::join(names, ", ")));
}

inline void TakeHints(config::Section& section, CacheSettings& settings) {
  if (const auto words = section.Strings("hints")) {
    settings.read_only = Names(*words, kReadOnly);
    settings.idempotent = Names(*words, kIdempotent);
    for (const std::string& word : *words) {
      if (word == kReadOnly || word == kIdempotent) continue;
      section.Error("hints", fmt::format("expected read_only or idempotent, got {}", word));
    }
  }
  const bool both = settings.read_only && settings.idempotent;
  section.Shows("hints", fmt::format("[{}{}{}]", settings.read_only ? kReadOnly : "",
                                     both ? ", " : "", settings.idempotent ? kIdempotent : ""));
}

inline void TakeKey(config::Section& section, CacheSettings& settings) {
  if (!section.Take("key", settings.key_text)) return;
  settings.key = {};
  if (settings.key_text.empty()) return;
  std::expected<KeyTemplate, std::string> made = KeyTemplate::Parse(settings.key_text);
  if (!made) return section.Error("key", made.error());
  settings.key = std::move(*made);
}

inline void TakeSizes(config::Section& section, CacheSettings& settings) {
  const std::size_t farther = settings.max_bytes;
  const bool total = section.TakeBytes("max_bytes", settings.max_bytes, std::size_t{1} << 16);
  const std::string& path = section.path();
  if (settings.max_bytes != farther &&
      (path.starts_with("servers.") || path.starts_with("endpoints."))) {
    section.Error("max_bytes", "all servers and endpoints share one cache: say it at policies");
  }
  const bool entry = section.TakeBytes("max_entry", settings.max_entry, 1024);
  const std::size_t most = settings.max_bytes / AnswerCache::kShards;
  if ((total || entry) && settings.max_entry > most) {
    section.Error(entry ? "max_entry" : "max_bytes",
                  fmt::format("an entry of {} bytes (max_entry) must be at most a sixteenth of the "
                              "{} bytes of the cache (max_bytes)",
                              settings.max_entry, settings.max_bytes));
  }
}

// What this mapping itself says; what is inherited may be meant for others.
struct Given {
  bool ttl = false;
  bool stale_if_error = false;
  bool stale_while_open = false;
};

inline void CheckToolTtl(config::Section& section, const CacheSettings& settings,
                         std::string_view glob) {
  const std::string_view word = WriterWordIn(glob);
  const bool allowed = std::ranges::any_of(settings.allow, [glob](const std::string& name) {
    return IsPlainName(name) && GlobMatches(glob, name);
  });
  if (!word.empty() && !allowed) {
    section.Error("ttl", fmt::format("{} is never cached, since its name says `{}`: a call that "
                                     "is answered from the cache does nothing. If the tool only "
                                     "reads, give its full name in `allow`",
                                     glob, word));
  } else if (!settings.keeps_tools()) {
    section.Error("ttl", fmt::format("{} is never cached: methods leaves tools/call out", glob));
  } else if (!settings.read_only && !settings.idempotent && settings.allow.empty()) {
    section.Error("ttl", fmt::format("{} is never cached: no hint is believed (hints) and no tool "
                                     "is named in `allow`",
                                     glob));
  }
}

// What would do nothing, or what nobody can mean.
inline void CheckSense(config::Section& section, const CacheSettings& settings,
                       const Given& given) {
  if (given.ttl && settings.ttl > Duration(0)) {
    const std::string_view glob = ToolGlobOf(section.path());
    if (!settings.invalidates.empty() && settings.keeps_tools()) {
      section.Error("ttl", "a tool that invalidates others changes something and is never cached");
    } else if (settings.methods.none()) {
      section.Error("ttl", "nothing is cached: methods names none; enabled: false says so, too");
    } else if (!glob.empty()) {
      CheckToolTtl(section, settings, glob);
    }
  }
  if (settings.ttl > Duration(0) || settings.server_ttl) return;
  constexpr const char* kNothingKept =
      "nothing is kept that could stand in for an error: set ttl, or server_ttl: true";
  if (given.stale_if_error && settings.stale_if_error > Duration(0)) {
    section.Error("stale_if_error", kNothingKept);
  }
  if (given.stale_while_open && settings.stale_while_open > Duration(0)) {
    section.Error("stale_while_open", kNothingKept);
  }
}

// Found out once a catalog.
inline bool NameSaysItWrites(const Definition& tool) {
  struct Found {
    bool writes;
  };
  return tool.derived.Get<Found>([&tool] { return Found{!WriterWordIn(tool.name).empty()}; })
      .writes;
}

inline bool CacheSettings::Permits(mcp::Method method, const Definition* tool) const {
  const auto found = std::ranges::find(kMethods, method);
  if (found == kMethods.end() || !methods[static_cast<std::size_t>(found - kMethods.begin())]) {
    return false;
  }
  if (method != mcp::Method::kToolsCall) return true;
  if (tool == nullptr || !invalidates.empty()) return false;
  if (Names(allow, tool->name) || Names(allow, tool->exposed)) return true;
  if (NameSaysItWrites(*tool)) return false;
  if ((read_only && tool->annotations.read_only) || (idempotent && tool->annotations.idempotent)) {
    return true;
  }
  return std::ranges::any_of(
      allow, [tool](const std::string& glob) { return GlobMatches(glob, tool->name); });
}

inline Duration CacheSettings::TtlFor(std::optional<std::uint64_t> server_ttl_ms) const {
  // 0 is what servers say that know nothing, and what legacy ones are taken to say.
  if (!server_ttl || server_ttl_ms.value_or(0) == 0) return ttl;
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(max_ttl);
  const auto cap = static_cast<std::uint64_t>(most.count());
  return std::chrono::milliseconds(std::min(*server_ttl_ms, cap));
}

inline Duration CacheSettings::StaleFor(const Error& error) const {
  switch (error.code) {
    case Code::kUnavailable:
      // The server is down, or a breaker keeps calls from it: nothing was sent.
      return error.origin == Origin::kGateway ? std::max(stale_if_error, stale_while_open)
                                              : stale_if_error;
    case Code::kDeadline:
    case Code::kProtocol:
    case Code::kRateLimited:
    case Code::kInternal: return stale_if_error;
    default: return Duration(0);
  }
}

// As in the header of policies/cache.cc.
inline std::shared_ptr<const CacheSettings> ParseCacheSettings(config::Section section,
                                                               const CacheSettings* inherited) {
  const auto settings = CopyOrDefault<CacheSettings>(inherited);
  settings->enabled = inherited == nullptr || inherited->enabled;
  section.Take("enabled", settings->enabled);
  Given given;
  given.ttl = section.Take("ttl", settings->ttl);
  section.Take("server_ttl", settings->server_ttl);
  section.Take("max_ttl", settings->max_ttl);
  section.Take("negative_ttl", settings->negative_ttl);
  given.stale_if_error = section.Take("stale_if_error", settings->stale_if_error);
  given.stale_while_open = section.Take("stale_while_open", settings->stale_while_open);
  section.Take("keep_stale", settings->keep_stale);
  TakeMethods(section, settings->methods);
  TakeHints(section, *settings);
  section.Take("allow", settings->allow);
  section.Take("invalidates", settings->invalidates);
  TakeKey(section, *settings);
  TakeSizes(section, *settings);
  CheckSense(section, *settings, given);
  return settings;
}

}  // namespace switchyard::policies::cache
