#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "orchestration/tool.h"

namespace switchyard::orchestration {

#define TOOL(name, hints, title, description, input, output) \
  namespace name {                                           \
  Result<Operation> Prepare(Arguments& arguments);           \
  }
#include "orchestration/tools.def"
#undef TOOL

namespace {

// What a tool does to the records, as MCP's annotations say it.
#define READS \
  R"("readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false)"
#define ADDS \
  R"("readOnlyHint":false,"destructiveHint":false,"idempotentHint":false,"openWorldHint":false)"
#define SETS \
  R"("readOnlyHint":false,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false)"
#define ENDS \
  R"("readOnlyHint":false,"destructiveHint":true,"idempotentHint":true,"openWorldHint":false)"
// What others have; and when it is said again, it may be another one that has it.
#define TAKES \
  R"("readOnlyHint":false,"destructiveHint":true,"idempotentHint":false,"openWorldHint":false)"

// Parts of their schemas.
#define TASK_ID R"("task_id":{"type":"string"})"
// Two names that mean one thing; neither can be required then.
#define AGENT_ID R"("agent_id":{"type":"string","description":"Needed"},"id":)" SAME("agent_id")
#define SAME(name) R"({"type":"string","description":"The same as )" name R"("})"
#define SAME_WORDS(name)                                                                        \
  R"({"type":"array","items":{"type":"string"},"maxItems":50,"description":"The same as )" name \
  R"("})"
#define SESSION_ID R"("session_id":{"type":"string"})"
#define REQUEST_ID R"("request_id":{"type":"string"})"
#define PAGED \
  R"(,"limit":{"type":"integer","minimum":1,"maximum":100,"default":10},"cursor":{"type":"string"})"
#define ONE_AGENT R"("agent_id":{"type":"string"})"
#define STATUS \
  R"("status":{"type":"string","enum":["pending","assigned","in_progress","completed","failed","cancelled"]})"
#define PRIORITY R"("priority":{"type":"string","enum":["low","medium","high"]})"
#define LEASE R"(,"lease_ms":{"type":"integer","minimum":1000,"maximum":86400000})"
#define FIELDS \
  R"(,"fields":{"type":"array","items":{"type":"string"},"description":"Only these properties"})"
#define ACTOR                                                               \
  R"(,"agent_id":{"type":"string"},"fence":{"type":"integer","minimum":1,)" \
  R"("description":"As poll_tasks or assign_task gave it; one that is out of date is refused"})"
#define NEW_TASK \
  R"("content":{"type":"string","description":"What is to be done; needed"},)"          \
  R"("description":)" SAME("content") R"(,)"                                            \
  R"("task_type":{"type":"string","default":"general"},"priority":{"type":"string",)"   \
  R"("enum":["low","medium","high"],"default":"medium"},)"                              \
  R"("requirements":{"type":"array","items":{"type":"string"},"maxItems":50,)"          \
  R"("description":"Capabilities that an agent needs"},"required_capabilities":)"       \
  SAME_WORDS("requirements")                                                            \
  R"(,"parent":{"type":"string"},"parent_task_id":)" SAME("parent") R"(,)"              \
  R"("depends_on":{"type":"array","items":{"type":"string"},"maxItems":50},)"           \
  R"("deadline":{"type":"string","description":"2026-01-31T12:00:00Z"},)"               \
  R"("max_attempts":{"type":"integer","minimum":1,"maximum":100,"default":3},)"         \
  R"("idempotency_key":{"type":"string","maxLength":100},)"                             \
  R"("project_id":{"type":"string"},"goal_id":{"type":"string"},)"                      \
  R"("agent_id":{"type":"string","description":"As whom; idempotency keys are its own"},"creator":)" \
  SAME("agent_id")
#define EFFORT_STATUS \
  R"("status":{"type":"string","enum":["planned","active","on_hold","completed","cancelled"]})"
#define NEW_EFFORT                                                               \
  R"("name":{"type":"string","maxLength":100},"description":{"type":"string"},)" \
  R"("initial_status":{"type":"string","enum":["planned","active","on_hold",)"   \
  R"("completed","cancelled"],"default":"planned"},"idempotency_key":{"type":"string","maxLength":100})"
#define MOVED TASK_ID "," STATUS R"(},"required":["task_id","status"])"

constexpr Tool kTools[] = {
#define TOOL(name, hints, title, description, input, output)                                    \
  {#name,                                                                                       \
   R"({"name":"orchestration_)" #name R"(","title":")" title R"(","description":")" description \
   R"(","inputSchema":{"type":"object","properties":{)" input                                   \
   R"(,"additionalProperties":false},"outputSchema":{"type":"object","properties":{)" output    \
   R"(},"annotations":{)" hints "}}",                                                           \
   name::Prepare},
#include "orchestration/tools.def"
#undef TOOL
};

}  // namespace

Result<Operation> Do(const Arguments& arguments, std::function<Result<Answer>(Records&)> run) {
  if (Result<void> fine = arguments.Check(); !fine) return Failure(std::move(fine.error()));
  return Operation{.run = std::move(run)};
}

std::span<const Tool> Tools() { return kTools; }

const Tool* FindTool(std::string_view name) {
  if (!name.starts_with(kToolPrefix)) return nullptr;
  name.remove_prefix(kToolPrefix.size());
  const auto* const found = std::ranges::find(kTools, name, &Tool::name);
  return found == std::end(kTools) ? nullptr : found;
}

const std::string& ToolList() {
  static const std::string kList = [] {
    std::string list = "[";
    for (const Tool& tool : kTools) {
      if (list.size() > 1) list += ',';
      list += tool.definition;
    }
    return list + "]";
  }();
  return kList;
}

}  // namespace switchyard::orchestration
