#include "orchestration/waiting/follow.h"

#include <algorithm>

#include "orchestration/arguments.h"
#include "orchestration/verbatim.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::int64_t kPollEachMs = 1000;

std::string_view StatusOf(const Task& task) {
  if (task.status == Status::kCancelled) return "cancelled";
  return IsFinished(task.status) ? "completed" : "working";
}

// As await_task would have answered.
json::object ResultOf(const Task& task) {
  std::string text = Line(task);
  if (!task.error.empty()) text += ": " + task.error;
  json::object result{{"content", {{{"type", "text"}, {"text", text}}}},
                      {"structuredContent", View(task, As::kSubject, {})}};
  if (task.status == Status::kFailed) result["isError"] = true;
  return result;
}

}  // namespace

json::object Followed(const Task& task, const Settings& settings, bool brief) {
  json::object followed{{"taskId", ToText(task.id)}, {"status", StatusOf(task)}};
  std::string message(ToString(task.status));
  if (IsHeld(task.status)) message += " by " + task.assigned_to;
  if (!task.error.empty()) message += ": " + task.error;
  followed["statusMessage"] = message;
  followed["createdAt"] = TimeText(task.created_at);
  followed["lastUpdatedAt"] =
      TimeText(std::max({task.created_at, task.assigned_at, task.started_at, task.finished_at}));
  // What is not over is never forgotten: this is the least.
  followed["ttlMs"] = settings.retain_ms;
  followed["pollIntervalMs"] = kPollEachMs;
  if (!brief && StatusOf(task) == "completed") followed["result"] = ResultOf(task);
  return followed;
}

}  // namespace switchyard::orchestration
