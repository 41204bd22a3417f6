#include "mcp/version.h"

#include <array>

namespace switchyard::mcp {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                    "2025-11-25", "2026-07-28"};

}  // namespace

std::string_view ToString(Version version) { return kNames[static_cast<std::size_t>(version)]; }

std::optional<Version> ParseVersion(std::string_view revision) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == revision) return static_cast<Version>(i);
  }
  return std::nullopt;
}

}  // namespace switchyard::mcp
