#include "orchestration/waiting/subject.h"

#include <algorithm>
#include <charconv>

#include "mcp/json_string.h"

namespace switchyard::orchestration {
namespace {

constexpr std::string_view kTasks = "orchestration://tasks/";
constexpr std::string_view kAgents = "orchestration://agents/";

// nullopt: what follows a % is no byte.
std::optional<std::string> Decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = static_cast<unsigned char>(text[i]);
    if (byte == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const char* const digits = text.data() + i + 1;
      const auto [end, fault] = std::from_chars(digits, digits + 2, byte, 16);
      if (fault != std::errc() || end != digits + 2) return std::nullopt;
      i += 2;
    }
    plain.push_back(static_cast<char>(byte));
  }
  return plain;
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

std::optional<Subject> SubjectOf(std::string_view uri) {
  if (uri == kQueueUri) return Subject();
  if (uri.starts_with(kTasks)) {
    const Result<TaskId> id = TaskIdOf(uri.substr(kTasks.size()));
    return id ? std::optional(Subject{.task = *id}) : std::nullopt;
  }
  if (!uri.starts_with(kAgents)) return std::nullopt;
  std::optional<std::string> agent = Decoded(uri.substr(kAgents.size()));
  const bool fits = agent && !agent->empty() && agent->size() <= kMaxId && !HasControl(*agent) &&
                    mcp::IsUtf8(*agent);
  return fits ? std::optional(Subject{.task = 0, .agent = std::move(*agent)}) : std::nullopt;
}

}  // namespace switchyard::orchestration
