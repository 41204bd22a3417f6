#include "catalog/held_task.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "mcp/error_map.h"
#include "mcp/tasks.h"

namespace switchyard::catalog {
namespace {

using mcp::RawObject;

bool MayPass(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kRateLimited ||
         error.code == Code::kDeadline;
}

// The gateway takes the task on behalf of a client that may not.
std::shared_ptr<const Client> Accepting(const std::shared_ptr<const Client>& client) {
  if (client != nullptr && client->tasks != Tasks::kNone) return client;
  auto accepting =
      client != nullptr ? std::make_shared<Client>(*client) : std::make_shared<Client>();
  accepting->tasks = Tasks::kAccepted;
  return accepting;
}

// Outlives the call that it was made for, and so what that borrowed.
Task<void> CancelTask(std::shared_ptr<Service> server, Call call, std::string endpoint) {
  call.endpoint = endpoint;
  Result<mcp::Message> ignored = co_await AskAboutTask(std::move(server), std::move(call));
  static_cast<void>(ignored);
}

// What fails about a task that is there says nothing of the call that it was made of: that one ran.
void SayItRan(Error& error) {
  error.retryable = false;
  RawObject data = RawObject::Parse(error.data);
  if (!data.Has("retryable")) return;
  data.Set("retryable", "false");
  error.data = data.ToText();
}

mcp::Message ErrorOf(std::string_view raw_id, std::string_view raw_error) {
  const RawObject error = RawObject::Parse(raw_error);
  int code = mcp::kInternalError;
  const std::string_view raw = error.Get("code");
  std::from_chars(raw.data(), raw.data() + raw.size(), code);
  const std::string message = error.GetString("message");
  return mcp::Message::MakeError(raw_id, code, message.empty() ? "the task failed" : message,
                                 error.Get("data"));
}

}  // namespace

Call CallAboutTask(const Call& of, mcp::Method method, std::string_view id, std::string more) {
  std::string params = R"({"taskId":)" + mcp::Quote(id);
  if (!more.empty()) params.append(",").append(more);
  Call call;
  call.message = mcp::Message::Make("1", mcp::Info(method).name, params + "}");
  call.client = Accepting(of.client);
  call.endpoint = of.endpoint;
  call.caller = of.caller;
  call.deadline = of.deadline;
  call.target.server = of.target.server;
  call.target.name = id;
  call.target.pin = of.target.pin;
  call.target.policies = of.target.policies;
  call.target.transparent = of.target.transparent;
  call.depth = of.depth;
  return call;
}

Task<Result<mcp::Message>> AskAboutTask(std::shared_ptr<Service> server, Call call) {
  Result<ReplyPtr> reply = co_await server->Handle(call);
  if (!reply) co_return Failure(std::move(reply.error()));
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    if (!next) co_return Failure(std::move(next.error()));
    if (!next->has_value()) {
      co_return Failure(Code::kProtocol, Origin::kServer, "no response about a task");
    }
    if ((*next)->is_response()) co_return std::move(**next);
  }
}

HeldTask::HeldTask(const Call& call, std::shared_ptr<Service> server, const Deps& deps,
                   Options options)
    : call_(call), server_(std::move(server)), deps_(deps), options_(std::move(options)) {}

HeldTask::~HeldTask() {
  if ((over_ && !lost_) || !options_.owns_task) return;
  Call cancel = CallAboutTask(call_, mcp::Method::kTasksCancel, options_.id);
  cancel.deadline = Deadline::In(deps_.clock, kCancelTime);  // the call's own may have passed
  Spawn(deps_.executor(), "cancel task",
        CancelTask(server_, std::move(cancel), std::string(call_.endpoint)));
}

Task<Result<std::optional<mcp::Message>>> HeldTask::Next() {
  Result<std::optional<mcp::Message>> next = co_await GoOn();
  if (!next && options_.owns_task) SayItRan(next.error());
  co_return next;
}

Task<Result<std::optional<mcp::Message>>> HeldTask::GoOn() {
  if (over_) co_return std::nullopt;
  const std::string_view responses = call_.message.Get(mcp::Key::kInputResponses);
  if (!std::exchange(started_, true) && responses.starts_with('{')) {
    for (const auto& [key, value] : RawObject::Parse(responses).members()) answered_.insert(key);
    Call update = CallAboutTask(call_, mcp::Method::kTasksUpdate, options_.id,
                                R"("inputResponses":)" + std::string(responses));
    Result<mcp::Message> told = co_await AskAboutTask(server_, std::move(update));
    if (!told) co_return Failure(std::move(told.error()));
    if (told->kind() == mcp::Kind::kError) {
      over_ = true;
      told->SetId(std::string(call_.message.id()));
      co_return std::move(*told);
    }
  }
  for (;;) {
    Result<std::optional<mcp::Message>> end = co_await Poll();
    if (!end || end->has_value()) {
      over_ = true;
      lost_ = !end;
      co_return end;
    }
    co_await deps_.timers.Sleep(pause_);
  }
}

Task<Result<std::optional<mcp::Message>>> HeldTask::Poll() {
  Result<mcp::Message> answer =
      co_await AskAboutTask(server_, CallAboutTask(call_, mcp::Method::kTasksGet, options_.id));
  if (!answer) {
    const bool late = call_.deadline.Passed(deps_.clock.Now());
    if (!late && MayPass(answer.error()) && ++failures_ < kMaxFailures) co_return std::nullopt;
    co_return Failure(std::move(answer.error()));
  }
  failures_ = 0;
  if (answer->kind() == mcp::Kind::kError) {
    answer->SetId(std::string(call_.message.id()));
    co_return std::move(*answer);
  }
  Result<std::optional<mcp::Message>> end = Conclude(RawObject::Parse(answer->result()));
  co_return end;
}

Result<std::optional<mcp::Message>> HeldTask::Conclude(const RawObject& task) {
  const std::string status = task.GetString("status");
  if (status == "completed") {
    const std::string_view result = task.Get("result");
    if (!result.starts_with('{')) {
      return Failure(Code::kProtocol, Origin::kServer, "a completed task has no result");
    }
    mcp::Message message = mcp::Message::FromResult(call_.message.id(), std::string(result));
    if (message.Has(mcp::Key::kResultType)) return message;
    RawObject complete = RawObject::Parse(result);
    complete.SetString("resultType", "complete");
    return mcp::Message::FromResult(call_.message.id(), complete.ToText());
  }
  if (status == "failed") return ErrorOf(call_.message.id(), task.Get("error"));
  if (status == "cancelled") {
    return mcp::Message::MakeError(call_.message.id(), mcp::kInternalError,
                                   "the task was cancelled");
  }
  if (status == "input_required") {
    if (std::optional<mcp::Message> asks = AskForInput(task)) return asks;
  }
  long long milliseconds = 0;
  const std::string_view raw = task.Get("pollIntervalMs");
  std::from_chars(raw.data(), raw.data() + raw.size(), milliseconds);
  if (milliseconds > 0 && milliseconds < 3'600'000) {
    pause_ = std::clamp<Duration>(std::chrono::milliseconds(milliseconds), kMinPause, kMaxPause);
  }
  return std::nullopt;
}

// nullopt: nothing is open that was not answered. The server may take a while to see the answers.
std::optional<mcp::Message> HeldTask::AskForInput(const RawObject& task) const {
  RawObject open;
  for (const auto& [key, request] : RawObject::Parse(task.Get("inputRequests")).members()) {
    if (!answered_.contains(key)) open.Set(key, request);
  }
  if (open.empty()) return std::nullopt;
  RawObject result;
  result.SetString("resultType", "input_required");
  result.Set("inputRequests", open.ToText());
  if (!options_.state.empty()) result.SetString("requestState", options_.state);
  return mcp::Message::FromResult(call_.message.id(), result.ToText());
}

}  // namespace switchyard::catalog
