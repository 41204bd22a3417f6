// Times as agents write them (RFC 3339, 5.6): 2026-01-31T14:00:00.25+02:00. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace switchyard::orchestration {

// Milliseconds since 1970; what is less is cut off. nullopt = no time of that form.
std::optional<std::int64_t> ReadTime(std::string_view text);

}  // namespace switchyard::orchestration
