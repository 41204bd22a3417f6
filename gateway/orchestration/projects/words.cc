// How projects and goals are named in calls and answers.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "orchestration/projects/efforts.h"

namespace switchyard::orchestration {

std::string_view ToString(EffortStatus status) {
  return kEffortStatuses[static_cast<std::size_t>(status)];
}

std::optional<EffortStatus> EffortStatusOf(std::string_view word) {
  const auto* const found = std::ranges::find(kEffortStatuses, word);
  if (found == kEffortStatuses.end()) return std::nullopt;
  return static_cast<EffortStatus>(found - kEffortStatuses.begin());
}

std::string_view KeptCounter(Kind kind) {
  return kind == Kind::kProject ? "projects_kept" : "goals_kept";
}

std::string_view ToString(Kind kind) { return kind == Kind::kProject ? "project" : "goal"; }

std::string ToText(Kind kind, EffortId id) { return fmt::format("{}_{:08}", ToString(kind), id); }

Result<EffortId> EffortIdOf(Kind kind, std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  const std::string prefix = std::string(ToString(kind)) + "_";
  const std::string_view digits = text.starts_with(prefix) ? text.substr(prefix.size()) : "";
  EffortId id = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = fault == std::errc() && end == digits.data() + digits.size();
  if (whole && id > 0 && digits.size() <= kMostDigits) return id;
  return Refused(fmt::format("an id of a {0} reads like {1}, as create_{0} gave it", ToString(kind),
                             ToText(kind, 12)));
}

EffortId EffortIn(Arguments& arguments, Kind kind, std::string_view names, Arguments::Need need) {
  const std::optional<std::string> text = arguments.Word(names, kMaxId, need);
  if (!text) return 0;
  Result<EffortId> id = EffortIdOf(kind, *text);
  if (id) return *id;
  arguments.Wrong(std::string(names.substr(0, names.find('|'))) + ": " + id.error().message);
  return 0;
}

}  // namespace switchyard::orchestration
