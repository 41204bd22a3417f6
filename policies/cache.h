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
#include "policies/lib/tool_glob.h"
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
  // Whether answers can have a time to live at all.
  bool keeps_anything() const { return ttl > Duration(0) || server_ttl; }
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

// Whether a key is given.
inline bool TakeKey(config::Section& section, CacheSettings& settings) {
  if (!section.Take("key", settings.key_text)) return false;
  settings.key = {};
  if (settings.key_text.empty()) return false;
  std::expected<KeyTemplate, std::string> made = KeyTemplate::Parse(settings.key_text);
  if (!made) {
    section.Error("key", made.error());
    return false;
  }
  settings.key = std::move(*made);
  return true;
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

// The keys of this mapping that are for answers that are kept; what is inherited may be meant for
// others.
using Given = std::vector<std::string_view>;

// Why no answer of the tools is ever kept; "" = some may be.
inline std::string WhyNeverKept(const CacheSettings& settings, std::string_view glob) {
  if (settings.methods.none()) {
    return "nothing is cached: methods names none; enabled: false says so, too";
  }
  if (!settings.invalidates.empty() && settings.keeps_tools()) {
    return "a tool that invalidates others changes something and is never cached";
  }
  if (glob.empty()) return "";
  const std::string_view word = WriterWordIn(glob);
  const bool allowed = std::ranges::any_of(settings.allow, [glob](const std::string& name) {
    return IsPlainName(name) && GlobMatches(glob, name);
  });
  if (!word.empty() && !allowed) {
    return fmt::format(
        "{} is never cached, since its name says `{}`: a call that is answered from "
        "the cache does nothing. If the tool only reads, give its full name in "
        "`allow`",
        glob, word);
  }
  if (!settings.keeps_tools()) {
    return fmt::format("{} is never cached: methods leaves tools/call out", glob);
  }
  if (!settings.read_only && !settings.idempotent && settings.allow.empty()) {
    return fmt::format(
        "{} is never cached: no hint is believed (hints) and no tool is named in "
        "`allow`",
        glob);
  }
  return "";
}

// What would do nothing, or what nobody can mean.
inline void CheckSense(config::Section& section, const CacheSettings& settings,
                       const Given& given) {
  if (!settings.enabled) return;
  const std::string why = WhyNeverKept(settings, ToolGlobOf(section.path(), "cache"));
  if (!why.empty()) {
    for (const std::string_view key : given) section.Error(key, why);
    return;
  }
  if (settings.keeps_anything()) return;
  for (const std::string_view key : given) {
    if (key != "stale_if_error" && key != "stale_while_open" && key != "keep_stale") continue;
    section.Error(key,
                  "nothing is kept that could stand in for an error: set ttl, or server_ttl: true");
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
  if (!settings->enabled) section.IsOff("enabled: false");
  Given given;
  const auto take = [&](std::string_view key, Duration& into) {
    if (section.Take(key, into) && into > Duration(0)) given.push_back(key);
  };
  take("ttl", settings->ttl);
  section.Take("server_ttl", settings->server_ttl);
  section.Take("max_ttl", settings->max_ttl);
  take("negative_ttl", settings->negative_ttl);
  take("stale_if_error", settings->stale_if_error);
  take("stale_while_open", settings->stale_while_open);
  take("keep_stale", settings->keep_stale);
  TakeMethods(section, settings->methods);
  TakeHints(section, *settings);
  section.Take("allow", settings->allow);
  section.Take("invalidates", settings->invalidates);
  if (TakeKey(section, *settings)) given.emplace_back("key");
  TakeSizes(section, *settings);
  CheckSense(section, *settings, given);
  return settings;
}

}  // namespace switchyard::policies::cache
