#include "downstream/task_adapter.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/askable.h"
#include "downstream/legacy_convert.h"
#include "downstream/questions.h"
#include "mcp/error_map.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
namespace {

using mcp::RawObject;

std::string TaskParams(std::string_view id) { return R"({"taskId":)" + mcp::Quote(id) + "}"; }

Face::Outcome Ends(Error error) { return {.reply = Failure(std::move(error))}; }

Face::Outcome Gives(const Call& call, std::string result) {
  return {.reply = ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(result)))};
}

Face::Outcome Acknowledges(const Call& call) { return Gives(call, R"({"resultType":"complete"})"); }

// The server's own error, as a modern client may read it.
Face::Outcome Refuses(const Call& call, mcp::Message error) {
  mcp::Message modern = ToModernError(std::move(error), false);
  modern.SetId(std::string(call.message.id()));
  return {.reply = ReplyWith(std::move(modern))};
}

// From the beginning of the task; null or none at all: the server sets no end.
Duration KeepFor(std::string_view raw_milliseconds) {
  std::int64_t milliseconds = 0;
  std::from_chars(raw_milliseconds.data(), raw_milliseconds.data() + raw_milliseconds.size(),
                  milliseconds);
  if (milliseconds <= 0) return TaskAdapter::kKeep;
  constexpr auto kMost =
      std::chrono::duration_cast<std::chrono::milliseconds>(TaskAdapter::kLongest).count();
  return std::chrono::milliseconds(std::min<std::int64_t>(milliseconds, kMost));
}

}  // namespace

mcp::Message ToCreatedTask(const mcp::Message& response) {
  RawObject created = mcp::ToModernTask(RawObject::Parse(response.Get(mcp::Key::kTask)));
  created.SetString("resultType", "task");
  if (response.Has(mcp::Key::kMeta)) created.Set("_meta", response.Get(mcp::Key::kMeta));
  return mcp::Message::FromResult(response.id(), created.ToText());
}

TaskAdapter::TaskAdapter(std::shared_ptr<Channel> channel, std::string headers)
    : channel_(std::move(channel)), headers_(std::move(headers)) {}

void TaskAdapter::Retire() {
  for (const auto& [id, watch] : std::exchange(watches_, {})) watch->pump.Cancel();
}

Task<Face::Outcome> TaskAdapter::Handle(Call& call) {
  Face::Outcome outcome;
  switch (call.message.method()) {
    case mcp::Method::kTasksGet: outcome = co_await Get(call); break;
    case mcp::Method::kTasksUpdate: outcome = co_await Update(call); break;
    case mcp::Method::kTasksCancel: outcome = co_await Cancel(call); break;
    default:
      outcome = Ends({.code = Code::kNotFound,
                      .origin = Origin::kServer,
                      .message = "unknown method: " + std::string(call.message.method_name()),
                      .rpc_code = mcp::kMethodNotFound});
  }
  co_return outcome;
}

// 404 says that the session is gone (L-TR), and its tasks are known to the new one or not.
Task<TaskAdapter::Answered> TaskAdapter::Ask(mcp::Method method, std::string id,
                                             Deadline deadline) {
  HttpFacts facts;
  const std::string params = TaskParams(id);
  Result<mcp::Message> answer = co_await channel_->Ask({.method = mcp::Info(method).name,
                                                        .params = params,
                                                        .headers = headers_,
                                                        .deadline = deadline,
                                                        .facts = &facts});
  Answered answered;
  if (answer) {
    answered.message = std::move(*answer);
  } else {
    answered.end = Ends(std::move(answer.error()));
    answered.end.link_is_stale = facts.status == 404;
  }
  co_return answered;
}

Task<Face::Outcome> TaskAdapter::Get(Call& call) {
  const std::string id = call.target.name;
  Answered now = co_await Ask(mcp::Method::kTasksGet, id, call.deadline);
  if (!now.message) co_return std::move(now.end);
  if (now.message->kind() == mcp::Kind::kError) co_return Refuses(call, std::move(*now.message));
  RawObject task = mcp::ToModernTask(RawObject::Parse(now.message->result()));
  task.SetString("resultType", "complete");
  const std::string status = task.GetString("status");
  if (status == "input_required") {
    std::string requests = co_await InputRequests(call);
    // Without a question there is nothing that the client could do but ask again.
    if (requests == "{}") {
      task.SetString("status", "working");
    } else {
      task.Set("inputRequests", requests);
    }
  } else if (status == "cancelled") {
    Drop(id);
  } else if (mcp::IsTerminal(status)) {
    Answered outcome = co_await OutcomeOf(id, call.deadline);
    if (!outcome.message) co_return std::move(outcome.end);
    const bool failed = outcome.message->kind() == mcp::Kind::kError;
    task.SetString("status", failed ? "failed" : "completed");
    if (failed) {
      task.Set("error", ToModernError(std::move(*outcome.message), false).error());
    } else {
      RawObject result = RawObject::Parse(outcome.message->result());
      mcp::RemoveRelatedTask(result);
      result.SetString("resultType", "complete");  // its era knows no other
      task.Set("result", result.ToText());
    }
    Drop(id);
  }
  co_return Gives(call, task.ToText());
}

// A stream that waited for input may have brought it already.
Task<TaskAdapter::Answered> TaskAdapter::OutcomeOf(std::string id, Deadline deadline) {
  Answered outcome;
  if (const std::shared_ptr<Watch> watch = Find(id); watch != nullptr && watch->outcome) {
    outcome.message = std::move(watch->outcome);
  } else {
    outcome = co_await Ask(mcp::Method::kTasksResult, id, deadline);
  }
  co_return outcome;
}

Task<Face::Outcome> TaskAdapter::Update(Call& call) {
  const std::string id = call.target.name;
  const std::string_view raw = call.message.Get(mcp::Key::kInputResponses);
  if (!raw.starts_with('{')) {
    co_return Ends({.code = Code::kInvalid,
                    .origin = Origin::kClient,
                    .message = "tasks/update needs params.inputResponses, an object"});
  }
  const RawObject responses = RawObject::Parse(raw);
  const std::shared_ptr<Watch> watch = Find(id);
  if (watch == nullptr) {  // whatever it answers, nobody asked; but the task must be known
    Answered now = co_await Ask(mcp::Method::kTasksGet, id, call.deadline);
    if (!now.message) co_return std::move(now.end);
    if (now.message->kind() == mcp::Kind::kError) co_return Refuses(call, std::move(*now.message));
    co_return Acknowledges(call);
  }
  watch->used = channel_->deps().clock.Now();
  for (const Question& question : watch->questions) {
    if (!responses.Has(question.key)) continue;
    const std::optional<boost::json::value> answer = ParseDeep(responses.Get(question.key));
    if (answer && IsAnswer(question.method, *answer)) continue;
    co_return Ends({.code = Code::kInvalid,
                    .origin = Origin::kClient,
                    .message = "params.inputResponses." + question.key + " is no result of " +
                               std::string(mcp::Info(question.method).name)});
  }
  for (const auto& [key, answer] : responses.members()) {
    const auto question = std::ranges::find(watch->questions, key, &Question::key);
    if (question == watch->questions.end()) continue;
    const std::string server_id = std::exchange(question->id, {});
    watch->questions.erase(question);
    Send(mcp::Message::FromResult(server_id, answer));
  }
  co_return Acknowledges(call);
}

// TASKX: cooperative, and no error when the task has ended; L-TASK: an error then.
Task<Face::Outcome> TaskAdapter::Cancel(Call& call) {
  const std::string id = call.target.name;
  Answered now = co_await Ask(mcp::Method::kTasksGet, id, call.deadline);
  if (!now.message) co_return std::move(now.end);
  if (now.message->kind() == mcp::Kind::kError) co_return Refuses(call, std::move(*now.message));
  const std::string status = RawObject::Parse(now.message->result()).GetString("status");
  if (mcp::IsTerminal(status)) co_return Acknowledges(call);
  Answered cancelled = co_await Ask(mcp::Method::kTasksCancel, id, call.deadline);
  if (!cancelled.message) co_return std::move(cancelled.end);
  if (cancelled.message->kind() == mcp::Kind::kError) {
    spdlog::debug("server {}: tasks/cancel: {}", channel_->server(),
                  cancelled.message->error().substr(0, 200));
  }
  Drop(id);
  co_return Acknowledges(call);
}

// The questions that are open, of those that this client can be asked; the server is told at once
// that it gets no answer to the others.
Task<std::string> TaskAdapter::InputRequests(Call& call) {
  const std::shared_ptr<Watch> watch = WatchFor(call.target.name);
  if (watch == nullptr) co_return "{}";
  if (watch->questions.empty() && !watch->over) {
    const Timers::Handle enough =
        channel_->deps().timers.In(kGather, [watch] { watch->news.Notify(true); });
    co_await watch->news.Wait();
  }
  const Askable askable = Askable::Of(call);
  const Asker asker{.server = channel_->server(), .verbatim = call.target.transparent};
  RawObject requests;
  std::erase_if(watch->questions, [&](const Question& question) {
    if (!askable.Missing(question.method, question.params).empty()) {
      Send(NotOffered(question.id, question.method));
      return true;
    }
    requests.Set(question.key,
                 InputRequest(question.method,
                              ParamsForClient(question.method, question.params, asker, true)));
    return false;
  });
  co_return requests.ToText();
}

void TaskAdapter::Created(const mcp::Message& response) {
  if (HoldsAny() && held_.size() >= kMaxHeld) return;  // the others hold the session as well
  const RawObject task = RawObject::Parse(response.Get(mcp::Key::kTask));
  held_[task.GetString("taskId")] = channel_->deps().clock.Now() + KeepFor(task.Get("ttl"));
}

bool TaskAdapter::HoldsAny() {
  const TimePoint now = channel_->deps().clock.Now();
  std::erase_if(held_, [now](const auto& one) { return one.second <= now; });
  return !held_.empty() || !watches_.empty();
}

std::shared_ptr<TaskAdapter::Watch> TaskAdapter::Find(const std::string& id) const {
  const auto found = watches_.find(id);
  return found == watches_.end() ? nullptr : found->second;
}

// Null: too many are watched.
std::shared_ptr<TaskAdapter::Watch> TaskAdapter::WatchFor(const std::string& id) {
  const TimePoint now = channel_->deps().clock.Now();
  std::shared_ptr<Watch> watch = Find(id);
  if (watch != nullptr && !(watch->over && !watch->outcome)) {
    watch->used = now;
    return watch;
  }
  if (watch == nullptr && watches_.size() >= kMaxWatched) {
    spdlog::warn("server {}: {} tasks wait for input, no more are asked for theirs",
                 channel_->server(), watches_.size());
    return nullptr;
  }
  watch = std::make_shared<Watch>();
  watch->id = id;
  watch->used = now;
  watches_[id] = watch;
  watch->pump = TaskHandle(channel_->deps().executor(), "task of " + channel_->server(),
                           RunWatch(shared_from_this(), watch));
  if (!sweep_.armed()) sweep_ = channel_->deps().timers.In(kSweep, [this] { Sweep(); });
  return watch;
}

// Ends with the task, or when it is dropped.
Task<void> TaskAdapter::RunWatch(std::shared_ptr<TaskAdapter> self, std::shared_ptr<Watch> watch) {
  Channel& channel = *self->channel_;
  const std::string id = channel.NextId();
  const mcp::Message request =
      mcp::Message::Make(id, mcp::Info(mcp::Method::kTasksResult).name, TaskParams(watch->id));
  mcp::Pieces pieces;
  request.AppendTo(pieces);
  Outgoing out{.body = pieces,
               .id = id,
               .headers = self->headers_,
               .deadline = Deadline(),
               .resumable = true};
  Result<ReplyPtr> reply = co_await channel.transport().Request(out);
  while (reply) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    if (!next || !next->has_value()) break;
    if ((*next)->is_response()) {
      watch->outcome = std::move(**next);
      break;
    }
    if ((*next)->kind() == mcp::Kind::kRequest) self->Take(*watch, **next);
  }
  watch->over = true;
  watch->questions.clear();
  watch->news.Notify(true);
}

bool TaskAdapter::Asked(const mcp::Message& request) {
  const std::shared_ptr<Watch> watch = Find(mcp::RelatedTaskOf(request));
  if (watch == nullptr || watch->over) return false;
  Take(*watch, request);
  return true;
}

void TaskAdapter::Take(Watch& watch, const mcp::Message& request) {
  const mcp::Method method = request.method();
  const std::optional<boost::json::value> params =
      request.params().empty() ? boost::json::object() : ParseDeep(request.params());
  const boost::json::object* given = params ? params->if_object() : nullptr;
  const bool question =
      given != nullptr && Askable::All().Missing(method, *given) != Askable::kNobody;
  if (!question || watch.questions.size() >= kMaxQuestions) {
    return Channel::Answer(channel_, request, headers_);
  }
  watch.questions.push_back({.key = "input-" + std::to_string(next_key_++),
                             .id = std::string(request.id()),
                             .method = method,
                             .params = *given});
  watch.news.Notify(true);
}

void TaskAdapter::Send(mcp::Message answer) {
  Channel::Respond(channel_, std::move(answer), headers_);
}

void TaskAdapter::Drop(const std::string& id) {
  held_.erase(id);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  const std::shared_ptr<Watch> watch = std::move(found->second);
  watches_.erase(found);
  for (const Question& question : watch->questions) {
    Send(mcp::Message::MakeError(question.id, mcp::kInvalidParams, "nobody answers any more"));
  }
  watch->questions.clear();
  watch->over = true;
  watch->news.Notify(true);
  watch->pump.Cancel();
}

void TaskAdapter::Sweep() {
  const TimePoint before = channel_->deps().clock.Now() - kIdle;
  std::vector<std::string> idle;
  for (const auto& [id, watch] : watches_) {
    if (watch->used <= before) idle.push_back(id);
  }
  for (const std::string& id : idle) Drop(id);
  if (!watches_.empty()) sweep_ = channel_->deps().timers.In(kSweep, [this] { Sweep(); });
}

}  // namespace switchyard::downstream
