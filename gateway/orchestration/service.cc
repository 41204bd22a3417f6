#include "orchestration/service.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "mcp/error_map.h"
#include "orchestration/moves.h"
#include "orchestration/verbatim.h"
#include "orchestration/waiting/follow.h"
#include "orchestration/waiting/listen.h"
#include "orchestration/waiting/resources.h"

namespace switchyard::orchestration {
namespace {

constexpr std::string_view kInstructions =
    "Tasks for agents: create_task, route_task and assign_task hand out work; poll_tasks with "
    "claim "
    "takes it; start_task, then complete_task or fail_task; await_task waits for the end. Keep "
    "answers small with limit, filters and fields.";

// Of one who is proved; what nobody proved is everybody's.
std::string KeyOf(const Principal& caller) { return AgentDirectory::OwnerOf(caller); }

// Clients that know no structured content have all of it as their text.
mcp::Message ResultOf(const Call& call, Answer answer) {
  const bool text_alone =
      call.client != nullptr && call.client->version < mcp::Version::k2025_06_18;
  const std::string content = ToText(std::move(answer.content));
  return mcp::Message::FromResult(call.message.id(),
                                  R"({"resultType":"complete","content":[{"type":"text","text":)" +
                                      mcp::Quote(text_alone ? content : answer.text) +
                                      R"(}],"structuredContent":)" + content + "}");
}

// MRTR: the call ends with what its client is asked, and comes again with the answers.
mcp::Message QuestionOf(const Call& call, const std::string& input_requests) {
  return mcp::Message::FromResult(
      call.message.id(),
      R"({"resultType":"input_required","inputRequests":)" + input_requests + "}");
}

mcp::Message ListOf(const Call& call, std::string_view key, const std::string& items) {
  return mcp::Message::FromResult(
      call.message.id(),
      fmt::format(R"({{"resultType":"complete","ttlMs":3600000,"cacheScope":"public","{}":{}}})",
                  key, items));
}

// What is wrong with the database is the operator's: its words are for the log.
Error WithoutRecords(Error error) {
  if (error.origin == Origin::kClient || error.code == Code::kRateLimited) return error;
  if (error.code == Code::kDeadline) return std::move(error).In("server orchestration");
  spdlog::error("orchestration: {}: {}", error.message, error.detail);
  return Error{.code = error.code == Code::kInternal ? error.code : Code::kUnavailable,
               .origin = Origin::kServer,
               .retryable = error.retryable,
               .message = error.retryable ? "server orchestration: its records cannot be used at "
                                            "present; nothing was changed"
                                          : "server orchestration: its records cannot be used at "
                                            "present; look whether the call took effect",
               .detail = std::move(error.message)};
}

// What the caller did wrong it is told as a tool's error, which agents can act on.
Result<ReplyPtr> ReplyTo(const Call& call, Error error) {
  if (error.origin == Origin::kClient) {
    return ReplyWith(mcp::ToolErrorMessage(call.message.id(), error));
  }
  return Failure(WithoutRecords(std::move(error)));
}

Result<ReplyPtr> Acknowledge(const Call& call) {
  return ReplyWith(
      mcp::Message::FromResult(call.message.id(), std::string(R"({"resultType":"complete"})")));
}

Error UnknownTask() {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown task",
               .rpc_code = mcp::kInvalidParams};
}

// A task as MCP's: `created` answers the call that it is made of, else it tells of it.
Result<Answer> TaskAnswer(Records& records, TaskId id, bool created) {
  Result<orchestration::Task> task = Find(records, id);
  if (!task) return Failure(std::move(task.error()));
  Answer answer{.content = Followed(*task, records.settings, created), .task = id};
  answer.content["resultType"] = created ? "task" : "complete";
  return answer;
}

// Answered with the task that there is to follow, in the transaction that made it: one that is made
// is never told of as if it were not. It does not wait: the client asks again, or is told.
Operation ToFollow(Operation operation) {
  operation.wait_ms = 0;
  operation.run = [run = std::move(operation.run)](Records& records) -> Result<Answer> {
    Result<Answer> answer = run(records);
    if (!answer || answer->task == 0) return answer;
    return TaskAnswer(records, answer->task, true);
  };
  return operation;
}

bool Follows(const Call& call, Follow follow) {
  switch (call.client == nullptr ? Tasks::kNone : call.client->tasks) {
    case Tasks::kNone: return false;
    case Tasks::kAccepted: return follow == Follow::kIfTaken;
    case Tasks::kWanted: return follow != Follow::kNever;
  }
  return false;
}

}  // namespace

// The service starts as long as its file is checked.
switchyard::Task<Result<ServerFacts>> Service::Connect() {
  if (Result<void> opened = co_await desk_->Opened(deps_); !opened) {
    co_return Failure(
        Error{.code = Code::kUnavailable,
              .origin = Origin::kServer,
              .message = "its records cannot be used; the log of the gateway says why",
              .detail = std::move(opened.error().message)});
  }
  co_return ServerFacts{
      .capabilities = R"({"tools":{},"resources":{"subscribe":true},)"
                      R"("extensions":{"io.modelcontextprotocol/tasks":{}}})",
      .instructions = std::string(kInstructions),
      .info = R"({"name":"orchestration","version":")" SWITCHYARD_VERSION R"("})"};
}

switchyard::Task<Result<ReplyPtr>> Service::Handle(Call& call) {
  const bool of_a_tool = call.message.method() == mcp::Method::kToolsCall && !call.forsaken;
  return of_a_tool ? CallTool(call) : HandleOther(call);
}

switchyard::Task<Result<ReplyPtr>> Service::HandleOther(Call& call) {
  // What a client was asked and does not answer: nothing of it waits here.
  if (call.forsaken) co_return Acknowledge(call);
  Result<ReplyPtr> reply = nullptr;
  switch (call.message.method()) {
    case mcp::Method::kToolsList: co_return ReplyWith(ListOf(call, "tools", ToolList()));
    case mcp::Method::kResourcesList:
      co_return ReplyWith(ListOf(call, "resources", ResourceList()));
    case mcp::Method::kTemplatesList:
      co_return ReplyWith(ListOf(call, "resourceTemplates", TemplateList()));
    case mcp::Method::kResourcesRead: reply = co_await Read(call); co_return reply;
    case mcp::Method::kListen: co_return OpenListen(desk_, call, deps_);
    case mcp::Method::kTasksGet: reply = co_await ShowTask(call); co_return reply;
    case mcp::Method::kTasksCancel: reply = co_await CancelTask(call); co_return reply;
    case mcp::Method::kTasksUpdate: co_return Acknowledge(call);  // none of them asks anything
    default:
      co_return ReplyWith(
          mcp::Message::MakeError(call.message.id(), mcp::kMethodNotFound,
                                  "server orchestration has tools, resources and tasks only"));
  }
}

switchyard::Task<Result<ReplyPtr>> Service::CallTool(Call& call) {
  const Tool* const tool = FindTool(call.target.name);
  if (tool == nullptr) {
    co_return Failure(Code::kNotFound, Origin::kClient, "unknown tool: " + call.target.name);
  }
  Result<Rights> rights = desk_->RightsOf(*call.caller, tool->name);
  if (!rights) co_return ReplyTo(call, std::move(rights.error()));
  Arguments arguments(call.message.Get(mcp::Key::kArguments));
  Result<Operation> operation = tool->prepare(arguments);
  if (!operation) co_return ReplyTo(call, std::move(operation.error()));
  operation->bytes = call.message.Get(mcp::Key::kArguments).size();
  operation->rights = *rights;
  if (operation->wish != nullptr) {
    Result<ReplyPtr> asks = co_await Plan(call, *operation);
    if (!asks) co_return ReplyTo(call, std::move(asks.error()));
    if (*asks != nullptr) co_return asks;
  }
  const bool follows = Follows(call, operation->follow);
  if (follows) operation = ToFollow(std::move(*operation));
  Result<Answer> answer =
      co_await desk_->Run(std::move(*operation), KeyOf(*call.caller), call.deadline, deps_);
  if (!answer) co_return ReplyTo(call, std::move(answer.error()));
  if (!follows || answer->task == 0) co_return ReplyWith(ResultOf(call, std::move(*answer)));
  co_return ReplyWith(
      mcp::Message::FromResult(call.message.id(), ToText(std::move(answer->content))));
}

// No transaction is open while the model is asked: one before it looks at what there is to ask, and
// the operation's own comes after it. `operation` is CallTool()'s, which awaits this at once.
switchyard::Task<Result<ReplyPtr>> Service::Plan(const Call& call, Operation& operation) {
  const std::shared_ptr<const Planners> planners = desk_->planners();
  if (planners == nullptr) co_return nullptr;
  const std::shared_ptr<const Wish> wish = operation.wish;
  const auto brief = std::make_shared<Brief>();
  Operation look{.run = [wish, brief](Records& records) -> Result<Answer> {
    Result<Brief> found = wish->look(records);
    if (!found) return Failure(std::move(found.error()));
    *brief = std::move(*found);
    return Answer();
  }};
  look.rights = operation.rights;
  Result<Answer> looked =
      co_await desk_->Run(std::move(look), KeyOf(*call.caller), call.deadline, deps_);
  if (!looked) co_return Failure(std::move(looked.error()));
  Planned planned;
  if (!brief->text.empty()) planned = co_await planners->Make(std::move(*brief), call);
  if (!planned.question.empty()) co_return ReplyWith(QuestionOf(call, planned.question));
  operation.run = [wish, planned = std::move(planned)](Records& records) {
    return wish->run(records, planned);
  };
  co_return nullptr;
}

switchyard::Task<Result<ReplyPtr>> Service::ShowTask(const Call& call) {
  const Result<TaskId> id = TaskIdOf(call.target.name);
  if (!id) co_return Failure(UnknownTask());
  Operation look{.run = [id = *id](Records& records) { return TaskAnswer(records, id, false); }};
  Result<Answer> task =
      co_await desk_->Run(std::move(look), KeyOf(*call.caller), call.deadline, deps_);
  if (task) {
    co_return ReplyWith(
        mcp::Message::FromResult(call.message.id(), ToText(std::move(task->content))));
  }
  if (task.error().code == Code::kNotFound) co_return Failure(UnknownTask());
  co_return Failure(WithoutRecords(std::move(task.error())));
}

// TASKX: one that is over stays as it is, and that is no error.
switchyard::Task<Result<ReplyPtr>> Service::CancelTask(const Call& call) {
  const Result<TaskId> id = TaskIdOf(call.target.name);
  if (!id) co_return Failure(UnknownTask());
  Result<Rights> rights = desk_->RightsOf(*call.caller, "cancel_task");
  if (!rights) co_return Failure(std::move(rights.error()));
  Operation cancel{.run = [id = *id](Records& records) -> Result<Answer> {
    Result<orchestration::Task> task = Find(records, id);
    if (task && IsFinished(task->status)) return Answer();
    if (task) task = Cancel(records, id, "whoever waited for it cancelled it");
    if (!task) return Failure(std::move(task.error()));
    return Answer();
  }};
  cancel.rights = *rights;
  Result<Answer> done =
      co_await desk_->Run(std::move(cancel), KeyOf(*call.caller), call.deadline, deps_);
  if (done) co_return Acknowledge(call);
  if (done.error().code == Code::kNotFound) co_return Failure(UnknownTask());
  co_return Failure(WithoutRecords(std::move(done.error())));
}

switchyard::Task<Result<ReplyPtr>> Service::Read(const Call& call) {
  const std::string& uri = call.target.name;
  // An answer of a server, so that each era reads its own code (CodeForClient).
  const auto missing = [&call, &uri] {
    return ReplyWith(mcp::Message::MakeError(call.message.id(), mcp::kInvalidParams,
                                             "resource not found: " + uri,
                                             R"({"uri":)" + mcp::Quote(uri) + "}"));
  };
  const std::optional<Subject> subject = SubjectOf(uri);
  if (!subject) co_return missing();
  Result<Operation> operation = ReadOf(*subject);
  if (!operation) co_return Failure(std::move(operation.error()));
  Result<Answer> answer =
      co_await desk_->Run(std::move(*operation), KeyOf(*call.caller), call.deadline, deps_);
  if (!answer && answer.error().code == Code::kNotFound) co_return missing();
  if (!answer) co_return Failure(WithoutRecords(std::move(answer.error())));
  co_return ReplyWith(mcp::Message::FromResult(
      call.message.id(),
      fmt::format(R"({{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":)"
                  R"([{{"uri":{},"mimeType":"application/json","text":{}}}]}})",
                  mcp::Quote(uri), mcp::Quote(ToText(std::move(answer->content))))));
}

}  // namespace switchyard::orchestration
