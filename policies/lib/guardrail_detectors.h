// What guardrail looks for, by name and number. Constant tables; safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace switchyard::policies::guardrail {

enum class Group : std::uint8_t { kSecrets, kPersonal, kPatterns };

enum class Detector : std::uint8_t {
#define DETECTOR(constant, name, group) constant,
#include "policies/lib/guardrail_detectors.def"
#undef DETECTOR
  kCount,
};

// A Detector, or from kBuiltIn on a pattern of the operator's, in their order.
using DetectorId = std::uint16_t;
inline constexpr DetectorId kBuiltIn = static_cast<DetectorId>(Detector::kCount);
constexpr DetectorId IdOf(Detector detector) { return static_cast<DetectorId>(detector); }

struct DetectorRow {
  std::string_view name;
  Group group;
};
inline constexpr std::array<DetectorRow, kBuiltIn> kDetectors = {{
#define DETECTOR(constant, name, group) {name, Group::group},
#include "policies/lib/guardrail_detectors.def"
#undef DETECTOR
}};

constexpr std::string_view NameOf(Group group) {
  switch (group) {
    case Group::kSecrets: return "secrets";
    case Group::kPersonal: return "personal";
    case Group::kPatterns: return "patterns";
  }
  return "";
}

// What is found in a text: bytes [begin, end).
struct Finding {
  std::size_t begin = 0;
  std::size_t end = 0;
  DetectorId detector = 0;

  bool operator==(const Finding&) const = default;
};

}  // namespace switchyard::policies::guardrail
