// The tools of assistance, and of what agents think of it.
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/assistance.h"
#include "orchestration/coordination/evaluations.h"
#include "orchestration/coordination/ids.h"
#include "orchestration/tool.h"
#include "orchestration/verbatim.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

json::object Subject(const Request& request) {
  return {{"request_id", ToText(IdOf::kAssistance, request.id)},
          {"status", ToString(request.status)}};
}

json::object Whole(const Request& request, bool own) {
  json::object view = Subject(request);
  if (!own) view["requesting_agent_id"] = request.requester;
  view["task_description"] = request.description;
  if (request.urgency != Priority::kMedium) view["urgency"] = ToString(request.urgency);
  if (request.task != 0) view["task_id"] = ToText(request.task);
  if (!request.helper.empty()) view["helper"] = request.helper;
  if (!request.response.empty()) view["response"] = request.response;
  if (request.closed_at == 0) view["expires_at"] = TimeText(request.expires_at);
  return view;
}

json::array View(const std::vector<Asked>& asked, bool answers) {
  json::array list;
  for (const Asked& one : asked) {
    json::object view{{"agent_id", one.agent}, {"reason", one.reason}};
    if (answers) view["answer"] = one.answer;
    list.emplace_back(std::move(view));
  }
  return list;
}

}  // namespace

namespace request_assistance {
Result<Operation> Prepare(Arguments& arguments) {
  NewRequest wanted;
  wanted.requester = arguments.Word("requesting_agent_id", kMaxId, Need::kRequired).value_or("");
  wanted.description =
      arguments.Text("task_description", kMaxMessage / 2, Need::kRequired).value_or("");
  wanted.target = arguments.Word("target_agent_id", kMaxId).value_or("");
  wanted.capabilities = WordsIn(arguments, "required_capabilities");
  wanted.urgency = arguments.PriorityIn("urgency").value_or(Priority::kMedium);
  wanted.task = arguments.Task("task_id");
  wanted.exclude = arguments.Words("exclude_agents");
  wanted.ask = arguments.Integer("ask", 1, static_cast<std::int64_t>(kMostAsked)).value_or(3);
  wanted.expires_in_ms = arguments.Integer("expires_in_seconds", 1, 24 * 3600).value_or(300) * 1000;
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Request> request = Ask(records, wanted);
    if (!request) return Failure(std::move(request.error()));
    Answer answer{.content = Subject(*request)};
    answer.text = ToText(IdOf::kAssistance, request->id) + " asked";
    for (const Asked& one : request->asked) answer.text += " " + one.agent;
    answer.content["asked"] = View(request->asked, false);
    answer.content["expires_at"] = TimeText(request->expires_at);
    return answer;
  });
}
}  // namespace request_assistance

namespace respond_to_assistance {
Result<Operation> Prepare(Arguments& arguments) {
  const std::int64_t id = IdIn(arguments, IdOf::kAssistance, "request_id", Need::kRequired);
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::string action =
      arguments.OneOf("action", {"accept", "decline", "respond", "cancel"}).value_or("respond");
  const std::string text = arguments.Text("response", kMaxMessage / 2).value_or("");
  if (action == "respond" && text.empty()) {
    arguments.Wrong("response is missing: it is what action respond is for");
  }
  const Reaction reaction = action == "accept"    ? Reaction::kAccept
                            : action == "decline" ? Reaction::kDecline
                            : action == "respond" ? Reaction::kRespond
                                                  : Reaction::kCancel;
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Request> request = React(records, id, agent, reaction, text);
    if (!request) return Failure(std::move(request.error()));
    Answer answer{.content = Subject(*request)};
    answer.text = ToText(IdOf::kAssistance, id) + " " + std::string(ToString(request->status));
    return answer;
  });
}
}  // namespace respond_to_assistance

namespace list_assistance {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::int64_t id = IdIn(arguments, IdOf::kAssistance, "request_id");
  const bool own = arguments.OneOf("side", {"asked", "requested"}).value_or("asked") == "requested";
  const std::int64_t limit = arguments.Limit();
  const std::int64_t before = IdIn(arguments, IdOf::kAssistance, "cursor");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Answer answer;
    json::array list;
    if (id != 0) {
      Result<Request> request = FindRequest(records, id, agent);
      if (!request) return Failure(std::move(request.error()));
      json::object view = Whole(*request, request->requester == agent);
      view["asked"] = View(request->asked, true);
      list.emplace_back(std::move(view));
    } else {
      Result<RequestPage> page = ListRequests(records, agent, own, before, limit);
      if (!page) return Failure(std::move(page.error()));
      for (const Request& request : page->requests) list.emplace_back(Whole(request, own));
      if (page->next != 0) answer.content["next_cursor"] = ToText(IdOf::kAssistance, page->next);
    }
    answer.text = Many(list.size(), "request");
    answer.content["requests"] = std::move(list);
    return answer;
  });
}
}  // namespace list_assistance

namespace evaluate_contribution {
namespace {

constexpr std::size_t kMostIgnored = 10;

// The mean of what in it is a number from 0 to 1; the names of what is none go into `ignored`.
std::optional<std::int64_t> ScoreOf(Arguments& arguments, const std::string& criteria,
                                    json::array& ignored) {
  if (criteria.empty()) return std::nullopt;
  if (!criteria.starts_with('{')) {
    arguments.Wrong("evaluation_criteria must be an object such as {\"accuracy\": 0.9}");
    return std::nullopt;
  }
  double sum = 0;
  std::int64_t count = 0;
  for (const auto& [key, value] : json::parse(criteria).as_object()) {
    boost::system::error_code error;
    if (!value.is_number()) {
      if (ignored.size() < kMostIgnored) ignored.push_back(Said(key));
      continue;
    }
    const auto number = value.to_number<double>(error);
    if (error || number < 0 || number > 1) {
      arguments.Wrong("evaluation_criteria: numbers must be from 0 to 1");
      return std::nullopt;
    }
    sum += number;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return std::llround(sum / static_cast<double>(count) * 1000);
}

// "" = it counts.
std::string NotCounted(const Evaluated& done, const Evaluation& evaluation) {
  if (!evaluation.score) return "there is no score, and no number in evaluation_criteria";
  if (!done.strangers) return "";
  return evaluation.contributor + " wrote " + evaluation.evaluator +
         " nothing and opened no session with it; name a task, request or message of yours";
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Evaluation evaluation;
  evaluation.evaluator =
      arguments.Word("evaluating_agent_id", kMaxId, Need::kRequired).value_or("");
  evaluation.contributor =
      arguments.Word("contributing_agent_id", kMaxId, Need::kRequired).value_or("");
  evaluation.contribution =
      arguments.Word("contribution_ref", kMaxId, Need::kRequired).value_or("");
  evaluation.criteria = arguments.Json("evaluation_criteria", kMaxMetrics).value_or("");
  evaluation.comments = arguments.Text("comments", kMaxError).value_or("");
  evaluation.score = arguments.Share("score");
  json::array ignored;
  if (!evaluation.score) evaluation.score = ScoreOf(arguments, evaluation.criteria, ignored);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Evaluated> done = Evaluate(records, evaluation);
    if (!done) return Failure(std::move(done.error()));
    const Agent* const agent = &done->contributor;
    Answer answer;
    answer.content = {{"contributing_agent_id", agent->id},
                      {"contribution_ref", evaluation.contribution}};
    if (evaluation.score) answer.content["score"] = Rate(*evaluation.score);
    answer.text = "noted on " + agent->id;
    if (!ignored.empty()) answer.content["ignored"] = ignored;
    const std::string why = NotCounted(*done, evaluation);
    if (!why.empty()) {
      answer.content["counts"] = false;
      answer.content["reason"] = why;
      answer.text += ", which does not count: " + why;
    }
    if (agent->raters == 0) return answer;
    answer.content["quality"] = Rate(agent->Quality());
    answer.content["evaluators"] = agent->raters;
    answer.text += fmt::format(", quality {} by {}", Rate(agent->Quality()), agent->raters);
    return answer;
  });
}
}  // namespace evaluate_contribution

}  // namespace switchyard::orchestration
