#include "mcp/tasks.h"

#include <array>
#include <utility>

namespace switchyard::mcp {
namespace {

// What both dialects call the same.
constexpr std::array<std::string_view, 5> kShared = {"taskId", "status", "statusMessage",
                                                     "createdAt", "lastUpdatedAt"};

bool HasTasks(const RawObject& capabilities) {
  return RawObject::Parse(capabilities.Get("extensions")).Has(kTasksExtension);
}

}  // namespace

bool DeclaresTasks(std::string_view capabilities) {
  return capabilities.contains(kTasksExtension) && HasTasks(RawObject::Parse(capabilities));
}

std::string WithTasks(std::string_view capabilities) {
  RawObject object = RawObject::Parse(capabilities);
  RawObject extensions = RawObject::Parse(object.Get("extensions"));
  extensions.Set(kTasksExtension, "{}");
  object.Set("extensions", extensions.ToText());
  return object.ToText();
}

std::string_view TasksRequired() {
  return R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})";
}

bool NamesTasks(std::string_view raw_error) {
  const RawObject data = RawObject::Parse(RawObject::Parse(raw_error).Get("data"));
  return HasTasks(RawObject::Parse(data.Get("requiredCapabilities")));
}

bool OffersLegacyTasks(std::string_view capabilities) {
  if (!capabilities.contains("\"tasks\"")) return false;
  const RawObject tasks = RawObject::Parse(RawObject::Parse(capabilities).Get("tasks"));
  const RawObject requests = RawObject::Parse(tasks.Get("requests"));
  return RawObject::Parse(requests.Get("tools")).Has("call");
}

bool IsTerminal(std::string_view status) {
  return status == "completed" || status == "failed" || status == "cancelled";
}

RawObject ToModernTask(const RawObject& legacy) {
  RawObject task;
  for (const auto& [key, value] : legacy.members()) {
    if (key == "ttl") {
      task.Set("ttlMs", value);
    } else if (key == "pollInterval") {
      task.Set("pollIntervalMs", value);
    } else {
      task.Set(key, value);
    }
  }
  if (!task.Has("ttlMs")) task.Set("ttlMs", "null");
  RemoveRelatedTask(task);
  return task;
}

RawObject ToLegacyTask(const RawObject& modern) {
  RawObject task;
  for (const std::string_view key : kShared) {
    if (modern.Has(key)) task.Set(key, modern.Get(key));
  }
  const bool error = RawObject::Parse(modern.Get("result")).Get("isError") == "true";
  if (error) task.SetString("status", "failed");
  task.Set("ttl", modern.Has("ttlMs") ? modern.Get("ttlMs") : "null");
  if (modern.Has("pollIntervalMs")) task.Set("pollInterval", modern.Get("pollIntervalMs"));
  return task;
}

std::string RelatedTaskOf(const Message& message) {
  if (!message.Has(Key::kMeta)) return {};
  const std::string_view raw = message.Get(Key::kMeta);
  if (!raw.contains(kRelatedTask)) return {};
  return RawObject::Parse(RawObject::Parse(raw).Get(kRelatedTask)).GetString("taskId");
}

void SetRelatedTask(RawObject& object, std::string_view task_id) {
  RawObject related;
  related.SetString("taskId", task_id);
  RawObject meta = RawObject::Parse(object.Get("_meta"));
  meta.Set(kRelatedTask, related.ToText());
  object.Set("_meta", meta.ToText());
}

void RemoveRelatedTask(RawObject& object) {
  if (!object.Get("_meta").contains(kRelatedTask)) return;
  RawObject meta = RawObject::Parse(object.Get("_meta"));
  meta.Erase(kRelatedTask);
  if (meta.empty()) {
    object.Erase("_meta");
  } else {
    object.Set("_meta", meta.ToText());
  }
}

}  // namespace switchyard::mcp
