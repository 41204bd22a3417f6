// Which callers a rule of `authorize` speaks of: a condition on what they proved. Pure; a value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/principal.h"

namespace switchyard::policies::authorize {

// All that is said must hold; nothing said = every caller, also one that proved nothing.
struct Who {
  enum class Part : std::uint8_t {
    kIssuer,
    kSubject,
    kClient,
    kScope,
    kRole,
    kGroup,
    kCapability,
    kClaim,
  };
  // Any of the values fits any of the globs. What a caller does not have fits none.
  struct Match {
    Part part;
    std::string claim = {};  // its name
    std::vector<std::string> globs;
  };

  std::vector<Match> matches = {};
  std::optional<bool> anonymous = {};  // whether it proved nothing
  std::vector<Who> any = {};           // empty = not said
  std::vector<Who> all = {};
  std::vector<Who> none = {};

  // `agents`: what the caller's agents can do, beside what it proved (core/agent_directory.h).
  bool Holds(const Principal& principal, std::span<const std::string> agents = {}) const;
  // Whether it goes by what agents can do.
  bool NamesCapabilities() const;
  // All scopes by which it holds or would hold, those that the caller has included; nullopt: scopes
  // alone are not enough, or which ones cannot be said (globs, or scopes inside of any and not).
  std::optional<std::vector<std::string>> ScopesToHold(
      const Principal& principal, std::span<const std::string> agents = {}) const;
  // `role "admin" or "ops" and not (group "guests")`; two that read alike are alike.
  std::string ToText() const;
};

// As they are written in YAML, by Part.
inline constexpr std::array<std::string_view, 8> kPartWords = {
    "issuer", "subject", "client", "scope", "role", "group", "capability", "claim"};

}  // namespace switchyard::policies::authorize
