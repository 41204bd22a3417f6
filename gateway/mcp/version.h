// Protocol revisions, oldest first, so that `<` reads as "speaks less than". "modern" is the
// stateless era (2026-07-28); everything before is "legacy" (sessions, initialize).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace switchyard::mcp {

enum class Version : std::uint8_t {
  k2024_11_05,
  k2025_03_26,
  k2025_06_18,
  k2025_11_25,
  k2026_07_28,
};

inline constexpr Version kNewestLegacy = Version::k2025_11_25;
inline constexpr Version kModern = Version::k2026_07_28;

constexpr bool IsModern(Version version) { return version >= kModern; }

std::string_view ToString(Version version);                      // "2025-11-25"
std::optional<Version> ParseVersion(std::string_view revision);  // nullopt: not one we know

}  // namespace switchyard::mcp
