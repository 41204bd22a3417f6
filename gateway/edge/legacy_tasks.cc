#include "edge/legacy_tasks.h"

#include <charconv>
#include <functional>
#include <utility>

#include <fmt/chrono.h>

#include "base/token.h"
#include "edge/refusals.h"
#include "mcp/error_map.h"
#include "mcp/tasks.h"

namespace switchyard::edge {
namespace {

using mcp::RawObject;
using Convert = std::function<mcp::Message(const mcp::Message&)>;

constexpr Duration kKeepResult = std::chrono::minutes(10);  // when the client names no ttl
constexpr Duration kKeepTask = std::chrono::hours(1);       // when the server names none

// Changes the result of a reply.
class ConvertedReply final : public Reply {
 public:
  ConvertedReply(ReplyPtr inner, Convert convert)
      : convert_(std::move(convert)), inner_(std::move(inner)) {}
  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next || !next->has_value() || (*next)->kind() != mcp::Kind::kResult) co_return next;
    std::optional<mcp::Message> converted = convert_(**next);
    co_return converted;
  }

 private:
  const Convert convert_;
  ReplyPtr inner_;
};

Result<ReplyPtr> Converted(Result<ReplyPtr> reply, Convert convert) {
  if (!reply) return reply;
  return std::make_unique<ConvertedReply>(std::move(*reply), std::move(convert));
}

Error BadParams(std::string message) { return Invalid(mcp::kInvalidParams, std::move(message)); }

mcp::Message WasCancelled(const Call& call) {
  return mcp::Message::MakeError(call.message.id(), mcp::kInternalError, "the task was cancelled");
}

Duration KeepFor(std::string_view raw_milliseconds, Duration otherwise) {
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(
      raw_milliseconds.data(), raw_milliseconds.data() + raw_milliseconds.size(), milliseconds);
  constexpr std::int64_t kMost = std::int64_t{1000} * 3600 * 24 * 365;  // no overflow later
  if (error != std::errc() || milliseconds <= 0 || milliseconds > kMost) return otherwise;
  return std::chrono::milliseconds(milliseconds);
}

std::string Timestamp(const Clock& clock) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(clock.WallNow())));
}

// The result with its edits.
RawObject ResultOf(const mcp::Message& message) {
  const std::string text = message.ToText();
  return RawObject::Parse(RawObject::Parse(text).Get("result"));
}

// Each question says which task it belongs to (L-TASK).
std::string RelatedRequests(std::string_view raw, const std::string& id) {
  RawObject requests = RawObject::Parse(raw);
  RawObject related;
  for (const auto& [key, value] : requests.members()) {
    RawObject request = RawObject::Parse(value);
    RawObject params = RawObject::Parse(request.Get("params"));
    mcp::SetRelatedTask(params, id);
    request.Set("params", params.ToText());
    related.Set(key, request.ToText());
  }
  return related.ToText();
}

// The session's client, but one who takes tasks.
std::shared_ptr<const Client> Taking(const Client& client, Tasks tasks) {
  auto taking = std::make_shared<Client>(client);
  taking->tasks = tasks;
  return taking;
}

}  // namespace

LegacyTasks::LegacyTasks(Service& inner, std::shared_ptr<Session> session, Sessions& sessions)
    : inner_(inner), session_(std::move(session)), sessions_(sessions), board_(*sessions.tasks()) {}

bool LegacyTasks::Concerns(const Call& call, const Sessions& sessions) {
  if (sessions.tasks() == nullptr || call.client->version != mcp::Version::k2025_11_25)
    return false;
  if (call.method().route == mcp::Route::kTask) return true;
  return call.message.method() == mcp::Method::kToolsCall && call.message.Has(mcp::Key::kTask);
}

Task<Result<ReplyPtr>> LegacyTasks::Handle(Call& call) {
  const mcp::Method method = call.message.method();
  if (call.client->tasks == Tasks::kNone) {
    const bool creates = method == mcp::Method::kToolsCall;
    call.client = Taking(*call.client, creates ? Tasks::kWanted : Tasks::kAccepted);
  }
  switch (method) {
    case mcp::Method::kToolsCall: return Create(call);
    case mcp::Method::kTasksGet: return Get(call);
    case mcp::Method::kTasksResult: return AwaitResult(call);
    case mcp::Method::kTasksCancel: return Cancel(call);
    case mcp::Method::kTasksList:
      return [](Result<ReplyPtr> list) -> Task<Result<ReplyPtr>> { co_return list; }(List(call));
    default: return inner_.Handle(call);
  }
}

std::optional<TaskBoard::Entry> LegacyTasks::Known(const std::string& id) const {
  return board_.Find(session_->client->session, id);
}

Task<Result<ReplyPtr>> LegacyTasks::Create(Call& call) {
  if (!call.message.Get(mcp::Key::kTask).starts_with('{')) {
    co_return Failure(BadParams("params.task must be an object"));
  }
  Result<ReplyPtr> reply = co_await inner_.Handle(call);
  co_return Converted(std::move(reply), [this, &call](const mcp::Message& result) {
    const std::string_view type = result.Get(mcp::Key::kResultType);
    if (type == "\"input_required\"") return result.Clone();  // comes again with the answers
    return type == "\"task\"" ? Created(call, result) : Finished(call, result);
  });
}

mcp::Message LegacyTasks::Created(const Call& call, const mcp::Message& result) {
  const RawObject modern = ResultOf(result);
  const RawObject task = mcp::ToLegacyTask(modern);
  board_.Add(session_->client->session, task.GetString("taskId"),
             {.task = task.ToText(), .cancelled = false, .result = nullptr},
             KeepFor(task.Get("ttl"), kKeepTask));
  RawObject created;
  created.Set("task", task.ToText());
  if (modern.Has("_meta")) created.Set("_meta", modern.Get("_meta"));
  return mcp::Message::FromResult(call.message.id(), created.ToText());
}

// The server did not make a task of it, which only the extension allows: it becomes one here, and
// has ended when it begins.
mcp::Message LegacyTasks::Finished(const Call& call, const mcp::Message& result) {
  const Clock& clock = sessions_.clock();
  const std::string wish = RawObject::Parse(call.message.Get(mcp::Key::kTask)).Get("ttl");
  const Duration keep = KeepFor(wish, kKeepResult);
  const std::string now = Timestamp(clock);
  RawObject task;
  task.SetString("taskId", "done-" + RandomToken());
  task.SetString("status", "working");
  task.SetString("createdAt", now);
  task.SetString("lastUpdatedAt", now);
  task.Set("ttl",
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(keep).count()));
  RawObject created;
  created.Set("task", task.ToText());  // L-TASK: a task begins as working

  const bool error = result.Get(mcp::Key::kIsError) == "true";
  task.SetString("status", error ? "failed" : "completed");
  auto body = std::make_shared<const std::string>(ResultOf(result).ToText());
  board_.Add(session_->client->session, task.GetString("taskId"),
             {.task = task.ToText(), .cancelled = false, .result = std::move(body)}, keep);
  return mcp::Message::FromResult(call.message.id(), created.ToText());
}

Task<Result<ReplyPtr>> LegacyTasks::Get(Call& call) {
  std::string id = call.message.GetString(mcp::Key::kTaskId);
  const std::optional<TaskBoard::Entry> known = Known(id);
  if (known && (known->result != nullptr || known->cancelled)) {
    co_return ReplyWith(mcp::Message::FromResult(call.message.id(), known->task));
  }
  Result<ReplyPtr> reply = co_await inner_.Handle(call);
  co_return Converted(std::move(reply), [this, id = std::move(id)](const mcp::Message& result) {
    return Shown(id, result);
  });
}

mcp::Message LegacyTasks::Shown(const std::string& id, const mcp::Message& result) {
  const RawObject task = mcp::ToLegacyTask(ResultOf(result));
  board_.Note(session_->client->session, id, task.ToText());
  return mcp::Message::FromResult(result.id(), task.ToText());
}

Task<Result<ReplyPtr>> LegacyTasks::AwaitResult(Call& call) {
  std::string id = call.message.GetString(mcp::Key::kTaskId);
  const std::optional<TaskBoard::Entry> known = Known(id);
  if (known && known->cancelled) co_return ReplyWith(WasCancelled(call));
  const auto related = [&call, id](RawObject result) {
    mcp::SetRelatedTask(result, id);
    return mcp::Message::FromResult(call.message.id(), result.ToText());
  };
  if (known && known->result != nullptr)
    co_return ReplyWith(related(RawObject::Parse(*known->result)));
  Result<ReplyPtr> reply = co_await inner_.Handle(call);
  co_return Converted(std::move(reply), [this, &call, id, related](const mcp::Message& result) {
    if (result.Get(mcp::Key::kResultType) == "\"input_required\"") {
      mcp::Message asks = result.Clone();
      asks.edits().Replace(asks.member(mcp::Key::kInputRequests).value,
                           RelatedRequests(asks.Get(mcp::Key::kInputRequests), id));
      return *mcp::Message::Parse(asks.ToText(), mcp::Check::kEnvelope);
    }
    const std::optional<TaskBoard::Entry> now = Known(id);
    if (now && now->cancelled) return WasCancelled(call);
    return related(ResultOf(result));
  });
}

// L-TASK: what is cancelled stays so, and what has ended cannot be cancelled.
Task<Result<ReplyPtr>> LegacyTasks::Cancel(Call& call) {
  const std::string id = call.message.GetString(mcp::Key::kTaskId);
  const std::optional<TaskBoard::Entry> known = Known(id);
  if (known && (known->result != nullptr || known->cancelled)) {
    co_return Failure(BadParams("the task has ended and cannot be cancelled"));
  }
  Call get;
  get.message = mcp::Message::Make(call.message.id(), mcp::Info(mcp::Method::kTasksGet).name,
                                   R"({"taskId":)" + mcp::Quote(id) + "}");
  get.client = call.client;
  get.caller = call.caller;
  get.endpoint = call.endpoint;
  RawObject task;
  for (Call* step : {&get, &call}) {
    Result<ReplyPtr> reply = co_await inner_.Handle(*step);
    if (!reply) co_return reply;
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    while (next && next->has_value() && !(*next)->is_response()) next = co_await (*reply)->Next();
    if (!next) co_return Failure(std::move(next.error()));
    if (!next->has_value()) {
      co_return Failure(Code::kProtocol, Origin::kServer, "no response about a task");
    }
    if ((*next)->kind() == mcp::Kind::kError) {
      (*next)->SetId(std::string(call.message.id()));
      co_return ReplyWith(std::move(**next));
    }
    if (step == &call) break;
    task = mcp::ToLegacyTask(ResultOf(**next));
    if (mcp::IsTerminal(task.GetString("status"))) {
      board_.Note(session_->client->session, id, task.ToText());
      co_return Failure(BadParams("the task has ended and cannot be cancelled"));
    }
  }
  task.SetString("status", "cancelled");
  task.SetString("lastUpdatedAt", Timestamp(sessions_.clock()));
  board_.Cancel(session_->client->session, id, task.ToText());
  co_return ReplyWith(mcp::Message::FromResult(call.message.id(), task.ToText()));
}

Result<ReplyPtr> LegacyTasks::List(const Call& call) const {
  const std::string_view cursor = call.message.Get(mcp::Key::kCursor);
  if (!cursor.empty() && cursor != "null") return Failure(BadParams("invalid cursor"));
  std::string result = R"({"tasks":[)";
  for (const std::string& task : board_.List(session_->client->session)) {
    if (!result.ends_with('[')) result += ',';
    result += task;
  }
  return ReplyWith(mcp::Message::FromResult(call.message.id(), result + "]}"));
}

}  // namespace switchyard::edge
