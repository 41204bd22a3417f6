#include "catalog/task_ids.h"

#include <boost/json.hpp>

namespace switchyard::catalog {
namespace {

// Longer ones are none of ours, and would cost to look at.
constexpr std::size_t kMaxToken = 8 * 1024;
constexpr std::size_t kMaxState = 256 * 1024;  // with that of a server inside

std::string_view PurposeOf(TaskIds::Use use) {
  switch (use) {
    case TaskIds::Use::kTask: return "task";
    case TaskIds::Use::kHeld: return "held task";
    case TaskIds::Use::kMember: return "member of a group";
  }
  return "task";
}

bool IsFor(const boost::json::array& fields, const Principal& caller) {
  return fields[4].as_string() == caller.issuer && fields[5].as_string() == caller.subject &&
         fields[6].as_string() == caller.client;
}

}  // namespace

std::string TaskIds::Seal(Use use, const Call& call, const Named& task) const {
  const boost::json::array fields = {task.server,         task.id,
                                     call.endpoint,       call.target.name,
                                     call.caller->issuer, call.caller->subject,
                                     call.caller->client};
  return sealer_.Seal(PurposeOf(use), boost::json::serialize(fields));
}

std::optional<TaskIds::Named> TaskIds::Open(Use use, const Call& call,
                                            std::string_view token) const {
  if (token.size() > (use == Use::kMember ? kMaxState : kMaxToken)) return std::nullopt;
  const std::optional<std::string> text = sealer_.Open(PurposeOf(use), token);
  if (!text) return std::nullopt;
  const boost::json::value value = boost::json::parse(*text);  // we wrote it
  const boost::json::array& fields = value.as_array();
  if (fields[2].as_string() != call.endpoint) return std::nullopt;
  // Who asks about a task names no tool.
  if (use != Use::kTask && fields[3].as_string() != call.target.name) return std::nullopt;
  if (!IsFor(fields, *call.caller)) return std::nullopt;
  return Named{.server = std::string(fields[0].as_string()),
               .id = std::string(fields[1].as_string()),
               .tool = std::string(fields[3].as_string())};
}

}  // namespace switchyard::catalog
