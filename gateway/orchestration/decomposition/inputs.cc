#include "orchestration/decomposition/inputs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/decomposition/decompose.h"
#include "orchestration/records.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxModelsText = 256 * 1024;
constexpr std::size_t kMaxSubtasksText = std::size_t{1} << 20;

// A list of at most so many; nullopt when it was not given or is none.
std::optional<json::array> ListIn(Arguments& arguments, std::string_view names, std::size_t most,
                                  std::size_t bytes) {
  const std::optional<std::string> text = arguments.Json(names, bytes);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  const bool fits =
      !error && value.is_array() && !value.get_array().empty() && value.get_array().size() <= most;
  if (fits) return std::move(value.get_array());
  arguments.Wrong(
      fmt::format("{} must be a list of 1 to {}", names.substr(0, names.find('|')), most));
  return std::nullopt;
}

std::string_view WordOf(const json::object& object, std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    const json::value* const value = object.if_contains(name);
    if (value != nullptr && value->is_string()) return value->get_string();
  }
  return {};
}

// As a word among other arguments (Arguments::Word).
bool Fits(std::string_view word) {
  return !word.empty() && word.size() <= kMaxWord && std::ranges::none_of(word, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

void SortOut(std::vector<std::string>& words) {
  std::ranges::sort(words);
  const auto twice = std::ranges::unique(words);
  words.erase(twice.begin(), twice.end());
}

// False: it makes no sense.
bool AddModel(const json::value& item, Models& models) {
  if (item.is_string()) {
    models.agents.emplace_back(item.get_string());
    return Fits(models.agents.back());
  }
  if (!item.is_object()) return false;
  const json::object& object = item.get_object();
  const std::string_view id = WordOf(object, {"agent_id", "id"});
  if (!id.empty() && !Fits(id)) return false;
  if (!id.empty()) models.agents.emplace_back(id);
  models.nameless = models.nameless || id.empty();
  const json::value* const capabilities = object.if_contains("capabilities");
  if (capabilities == nullptr) return !id.empty();
  if (!capabilities->is_array() || capabilities->get_array().size() > kMaxList) return false;
  for (const json::value& one : capabilities->get_array()) {
    if (!one.is_string() || !Fits(one.get_string())) return false;
    models.capabilities.emplace_back(one.get_string());
  }
  return true;
}

}  // namespace

Models ModelsIn(Arguments& arguments) {
  Models models;
  const std::optional<json::array> list =
      ListIn(arguments, "available_models", kMaxModels, kMaxModelsText);
  if (!list) return models;
  for (const json::value& item : *list) {
    if (AddModel(item, models)) continue;
    arguments.Wrong(
        "available_models must hold ids of agents, or objects with agent_id and capabilities");
    return {};
  }
  SortOut(models.agents);
  SortOut(models.capabilities);
  if (models.capabilities.size() > kMaxCapabilities) {
    arguments.Wrong(fmt::format("available_models must name at most {} capabilities, got {}",
                                kMaxCapabilities, models.capabilities.size()));
  }
  return models;
}

Subtasks SubtasksIn(Arguments& arguments) {
  Subtasks subtasks;
  const std::optional<json::array> list =
      ListIn(arguments, "subtasks", kMaxBatch, kMaxSubtasksText);
  if (!list) return subtasks;
  for (std::size_t place = 0; place < list->size(); ++place) {
    const json::value& item = list->at(place);
    const json::object* const object = item.if_object();
    const std::string_view named =
        object == nullptr ? std::string_view() : WordOf(*object, {"task_id", "subtask_id", "id"});
    const bool part =
        object != nullptr && (object->contains("content") || object->contains("description"));
    const Result<TaskId> id = TaskIdOf(item.is_string() ? item.get_string() : named);
    if (id) {
      if (std::ranges::find(subtasks.tasks, *id) == subtasks.tasks.end()) {
        subtasks.tasks.push_back(*id);
      }
    } else if (part && named.empty()) {
      Arguments read(*object, fmt::format("subtasks[{}]", place));
      subtasks.parts.Add(read, place, arguments);
    } else {
      arguments.Wrong(
          "subtasks must hold ids of tasks, objects with task_id, or parts to be made, with "
          "content, as decompose_task shows them");
      return {};
    }
  }
  subtasks.parts.Settle();
  return subtasks;
}

std::optional<std::vector<Source>> ResultsIn(Arguments& arguments) {
  const std::optional<std::string> text = arguments.Json("results", kMaxResult);
  if (!text) return std::nullopt;
  json::value given = Kept(*text);
  json::array* const list = given.if_array();
  if (list == nullptr || list->empty() || list->size() > kMaxBatch) {
    arguments.Wrong(fmt::format("results must be a list of 1 to {}", kMaxBatch));
    return std::nullopt;
  }
  std::vector<Source> sources;
  for (json::value& item : *list) {
    Source source{.name = fmt::format("results[{}]", sources.size())};
    json::object* const object = item.if_object();
    json::value* const result = object == nullptr ? nullptr : object->if_contains("result");
    const std::string_view id =
        object == nullptr ? std::string_view() : WordOf(*object, {"task_id", "subtask_id"});
    if (result != nullptr && TaskIdOf(id)) {
      source.name = ToText(*TaskIdOf(id));
      source.result = std::move(*result);
    } else {
      source.result = std::move(item);
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace switchyard::orchestration
