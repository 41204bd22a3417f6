// The tools of collaboration sessions.
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/sessions.h"
#include "orchestration/tool.h"
#include "orchestration/verbatim.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

std::string_view StatusOf(const Session& session) { return session.open() ? "active" : "closed"; }

std::string Line(const Session& session) {
  return fmt::format("{} {}", ToText(IdOf::kSession, session.id), StatusOf(session));
}

json::object Subject(const Session& session) {
  return {{"session_id", ToText(IdOf::kSession, session.id)}, {"status", StatusOf(session)}};
}

// JSON of an object; "" = not given.
std::string ContextIn(Arguments& arguments) {
  std::string text = arguments.Json("context", kMaxMessage).value_or("");
  if (!text.empty() && !text.starts_with('{')) arguments.Wrong("context must be an object");
  return text;
}

std::int64_t SessionIn(Arguments& arguments) {
  return IdIn(arguments, IdOf::kSession, "session_id", Need::kRequired);
}

}  // namespace

namespace create_collaboration_session {
Result<Operation> Prepare(Arguments& arguments) {
  NewSession wanted;
  wanted.title = arguments.Word("title", kMaxError, Need::kRequired).value_or("");
  wanted.description = arguments.Text("description", kMaxMessage).value_or("");
  wanted.participants = arguments.Words("participant_model_ids");
  wanted.coordinator = arguments.Word("coordinator_model_id", kMaxId, Need::kRequired).value_or("");
  if (std::string context = ContextIn(arguments); !context.empty()) {
    wanted.context = std::move(context);
  }
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Session> session = Create(records, wanted);
    if (!session) return Failure(std::move(session.error()));
    Answer answer{.content = Subject(*session), .text = Line(*session)};
    answer.content["participants"] = ToArray(session->participants);
    return answer;
  });
}
}  // namespace create_collaboration_session

namespace get_collaboration_session {
Result<Operation> Prepare(Arguments& arguments) {
  const std::int64_t id = SessionIn(arguments);
  const std::string agent = arguments.Word("agent_id", kMaxId).value_or("");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Session> session = FindSession(records, id, agent);
    if (!session) return Failure(std::move(session.error()));
    Answer answer{.content = Subject(*session), .text = Line(*session)};
    json::object& view = answer.content;
    view["title"] = session->title;
    if (!session->description.empty()) view["description"] = session->description;
    view["coordinator"] = session->coordinator;
    view["participants"] = ToArray(session->participants);
    view["context"] = Verbatim(session->context);
    view["created_at"] = TimeText(session->created_at);
    if (session->open()) return answer;
    view["closed_at"] = TimeText(session->closed_at);
    if (!session->outcome.empty()) view["outcome"] = session->outcome;
    return answer;
  });
}
}  // namespace get_collaboration_session

namespace list_collaboration_sessions {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string agent = arguments.Word("agent_id", kMaxId).value_or("");
  const auto status = arguments.OneOf("status", {"active", "closed"});
  const std::int64_t limit = arguments.Limit();
  const std::int64_t before = IdIn(arguments, IdOf::kSession, "cursor");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    const std::optional<bool> open = status ? std::optional(*status == "active") : std::nullopt;
    Result<SessionPage> page = ListSessions(records, agent, open, before, limit);
    if (!page) return Failure(std::move(page.error()));
    json::array list;
    for (const Session& session : page->sessions) {
      json::object view = Subject(session);
      view["title"] = session.title;
      view["coordinator"] = session.coordinator;
      list.emplace_back(std::move(view));
    }
    Answer answer{.text = Many(list.size(), "session")};
    answer.content["sessions"] = std::move(list);
    if (page->next != 0) answer.content["next_cursor"] = ToText(IdOf::kSession, page->next);
    return answer;
  });
}
}  // namespace list_collaboration_sessions

namespace update_collaboration_session {
Result<Operation> Prepare(Arguments& arguments) {
  const std::int64_t id = SessionIn(arguments);
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  SessionUpdate update{.context = ContextIn(arguments)};
  update.add = arguments.Words("add_participants");
  update.remove = arguments.Words("remove_participants");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Session> session = Update(records, id, agent, update);
    if (!session) return Failure(std::move(session.error()));
    Answer answer{.content = Subject(*session), .text = Line(*session)};
    answer.content["participants"] = ToArray(session->participants);
    return answer;
  });
}
}  // namespace update_collaboration_session

namespace close_collaboration_session {
Result<Operation> Prepare(Arguments& arguments) {
  const std::int64_t id = SessionIn(arguments);
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::string outcome = arguments.Text("outcome", kMaxMessage).value_or("");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Session> session = CloseSession(records, id, agent, outcome);
    if (!session) return Failure(std::move(session.error()));
    return Answer{.content = Subject(*session), .text = Line(*session)};
  });
}
}  // namespace close_collaboration_session

}  // namespace switchyard::orchestration
