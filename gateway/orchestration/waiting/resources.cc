#include "orchestration/waiting/resources.h"

#include <utility>

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

Result<Operation> OperationOf(std::string_view tool, const json::object& arguments) {
  const std::string text = json::serialize(arguments);
  Arguments read(text);
  return FindTool(std::string(kToolPrefix).append(tool))->prepare(read);
}

Result<bool> Exists(Records& records, const Subject& subject) {
  if (subject == Subject()) return true;
  Result<Database::Rows> rows =
      subject.task != 0 ? records.sql.Query("SELECT id FROM task WHERE id = $1", {subject.task})
                        : records.sql.Query("SELECT id FROM agent WHERE id = $1", {subject.agent});
  if (!rows) return Failure(std::move(rows.error()));
  return !rows->empty();
}

}  // namespace

const std::string& ResourceList() {
  static const std::string kList =
      R"([{"uri":"orchestration://queue","name":"queue","title":"The queue",)"
      R"("description":"How many tasks there are in each state, as get_queue_metrics says it",)"
      R"("mimeType":"application/json"}])";
  return kList;
}

const std::string& TemplateList() {
  static const std::string kList =
      R"([{"uriTemplate":"orchestration://tasks/{id}","name":"task","title":"A task",)"
      R"("description":"A task as get_task_status shows it","mimeType":"application/json"},)"
      R"({"uriTemplate":"orchestration://agents/{id}","name":"agent","title":"An agent",)"
      R"("description":"An agent as get_agent_health shows it","mimeType":"application/json"}])";
  return kList;
}

Result<Operation> ReadOf(const Subject& subject) {
  if (subject.task != 0) {
    return OperationOf("get_task_status", {{"task_id", ToText(subject.task)}});
  }
  if (subject.agent.empty()) return OperationOf("get_queue_metrics", {});
  return OperationOf("get_agent_health", {{"agent_id", subject.agent}});
}

Result<std::set<Subject>> Existing(Records& records, const std::set<Subject>& subjects) {
  std::set<Subject> existing;
  for (const Subject& subject : subjects) {
    Result<bool> exists = Exists(records, subject);
    if (!exists) return Failure(std::move(exists.error()));
    if (*exists) existing.insert(subject);
  }
  return existing;
}

}  // namespace switchyard::orchestration
