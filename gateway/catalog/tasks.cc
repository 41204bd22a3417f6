#include "catalog/tasks.h"

#include <utility>

#include "catalog/held_task.h"
#include "catalog/task_listen.h"
#include "mcp/error_map.h"
#include "mcp/tasks.h"

namespace switchyard::catalog {
namespace {

using Pulled = Result<std::optional<mcp::Message>>;
using Change = std::function<void(mcp::Message&)>;

Error UnknownTask() {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown task",
               .rpc_code = mcp::kInvalidParams};
}

Error NeedsExtension(const std::string& what) {
  return Error{.code = Code::kInvalid,
               .origin = Origin::kClient,
               .message = what + " needs the extension io.modelcontextprotocol/tasks",
               .rpc_code = mcp::kMissingCapability,
               .data = std::string(mcp::TasksRequired())};
}

// Changes a result on its way.
class ChangedReply final : public Reply {
 public:
  ChangedReply(ReplyPtr inner, Change change)
      : change_(std::move(change)), inner_(std::move(inner)) {}
  Task<Pulled> Next() override {
    Pulled next = co_await inner_->Next();
    if (next && next->has_value() && (*next)->kind() == mcp::Kind::kResult) change_(**next);
    co_return next;
  }

 private:
  const Change change_;
  ReplyPtr inner_;
};

// A reply whose first message was looked at.
class SeenReply final : public Reply {
 public:
  SeenReply(Pulled first, ReplyPtr rest) : first_(std::move(first)), rest_(std::move(rest)) {}
  Task<Pulled> Next() override {
    if (first_) {
      Pulled first = std::move(*first_);
      first_.reset();
      co_return first;
    }
    Pulled next = co_await rest_->Next();
    co_return next;
  }

 private:
  std::optional<Pulled> first_;
  ReplyPtr rest_;
};

bool IsTask(const mcp::Message& response) {
  return response.Get(mcp::Key::kResultType) == "\"task\"";
}

void NameTask(mcp::Message& message, std::string_view id) {
  const mcp::Member old = message.member(mcp::Key::kTaskId);
  if (old.present()) message.edits().Replace(old.value, mcp::Quote(id));
}

// Legacy clients never declare the extension, so the gateway waits in their stead (6.5-G).
bool IsHeldFor(const Client* client) {
  return client != nullptr && !mcp::IsModern(client->version) && client->tasks == Tasks::kNone;
}

// For the time of one request the call's client takes tasks.
class Accepting {
 public:
  explicit Accepting(Call& call) : call_(call), client_(call.client) {
    auto accepting =
        client_ != nullptr ? std::make_shared<Client>(*client_) : std::make_shared<Client>();
    accepting->tasks = Tasks::kAccepted;
    call.client = std::move(accepting);
  }
  Accepting(const Accepting&) = delete;
  ~Accepting() { call_.client = std::move(client_); }

 private:
  Call& call_;
  std::shared_ptr<const Client> client_;
};

}  // namespace

TaskRoutes::TaskRoutes(const Sealer& sealer, const Deps& deps, FindServer find_server)
    : ids_(sealer), deps_(deps), find_server_(std::move(find_server)) {}

void TaskRoutes::Resolve(Call& call) const {
  const std::string id = call.message.GetString(mcp::Key::kTaskId);
  std::optional<TaskIds::Named> task = Find(call, id);
  if (!task) return;
  const auto named = std::make_shared<const TaskIds::Named>(std::move(*task));
  call.target.server = named->server;
  call.target.name = named->id;
  call.target.task_of = named->tool;
  call.target.pin = named;
}

std::optional<TaskIds::Named> TaskRoutes::Find(const Call& call, std::string_view id) const {
  return ids_.Open(TaskIds::Use::kTask, call, id);
}

Task<Result<ReplyPtr>> TaskRoutes::Handle(Call& call) {
  if (call.client == nullptr || call.client->tasks == Tasks::kNone) {
    co_return Failure(NeedsExtension(std::string(call.method().name)));
  }
  std::string id = call.message.GetString(mcp::Key::kTaskId);
  std::shared_ptr<Service> server;
  if (!call.target.server.empty()) server = find_server_(call.target.server);
  if (server == nullptr) co_return Failure(UnknownTask());
  if (call.message.method() == mcp::Method::kTasksResult) {
    co_return std::make_unique<HeldTask>(call, std::move(server), deps_,
                                         HeldTask::Options{.id = call.target.name});
  }
  call.route = server;
  Result<ReplyPtr> reply = co_await server->Handle(call);
  if (!reply) co_return reply;
  co_return std::make_unique<ChangedReply>(
      std::move(*reply), [id = std::move(id)](mcp::Message& result) { NameTask(result, id); });
}

Result<ReplyPtr> TaskRoutes::Listen(const Call& call, Result<ReplyPtr> listening,
                                    std::shared_ptr<const void> keep) const {
  const std::string_view filter = call.message.Get(mcp::Key::kNotifications);
  if (!filter.contains("\"taskIds\"") || !listening) return listening;
  const std::string ids(mcp::RawObject::Parse(filter).Get("taskIds"));
  if (ids.empty()) return listening;
  if (call.client == nullptr || call.client->tasks == Tasks::kNone) {
    return Failure(NeedsExtension("taskIds"));
  }
  const auto open = [&](const std::string& id) { return Find(call, id); };
  Listened rest{.keep = std::move(keep), .reply = std::move(*listening)};
  return ListenToTasks(call, std::move(rest), ids, open, find_server_, deps_);
}

Task<Result<ReplyPtr>> TaskRoutes::Forward(Call& call, std::shared_ptr<Service> server) {
  const Tasks tasks = call.client == nullptr ? Tasks::kNone : call.client->tasks;
  if (call.target.definition->tasks == TaskSupport::kNone) {  // wanted all the same
    co_return Failure(Error{.code = Code::kInvalid,
                            .origin = Origin::kClient,
                            .message = "this tool cannot be called as a task",
                            .rpc_code = mcp::kMethodNotFound});
  }
  const std::string state = call.message.GetString(mcp::Key::kRequestState);
  if (!state.empty()) {
    std::optional<TaskIds::Named> held = ids_.Open(TaskIds::Use::kHeld, call, state);
    if (held && held->server == call.target.server) {
      co_return std::make_unique<HeldTask>(
          call, std::move(server), deps_,
          HeldTask::Options{.id = std::move(held->id), .state = state, .owns_task = true});
    }
  }
  if (tasks == Tasks::kNone) {
    const bool required = call.target.definition->tasks == TaskSupport::kRequired;
    Task<Result<ReplyPtr>> answering =
        required ? Hold(call, server) : ForwardUnlessInsisted(call, server);
    Result<ReplyPtr> reply = co_await std::move(answering);
    co_return reply;
  }
  Result<ReplyPtr> reply = co_await server->Handle(call);
  if (!reply) co_return reply;
  co_return std::make_unique<ChangedReply>(std::move(*reply), [this, &call](mcp::Message& result) {
    if (!IsTask(result)) return;
    NameTask(result, ids_.Seal(TaskIds::Use::kTask, call,
                               {.server = std::string(call.target.server),
                                .id = result.GetString(mcp::Key::kTaskId)}));
  });
}

// The call becomes a task that only the gateway knows of.
Task<Result<ReplyPtr>> TaskRoutes::Hold(Call& call, std::shared_ptr<Service> server) {
  const Accepting accepting(call);
  Result<ReplyPtr> reply = co_await server->Handle(call);
  if (!reply) co_return reply;
  for (;;) {
    Pulled next = co_await (*reply)->Next();
    if (!next) co_return Failure(std::move(next.error()));
    const bool response = next->has_value() && (*next)->is_response();
    if (next->has_value() && !response) continue;  // a task has no progress (TASKX)
    if (!response || !IsTask(**next)) {
      co_return std::make_unique<SeenReply>(std::move(next), std::move(*reply));
    }
    std::string id = (*next)->GetString(mcp::Key::kTaskId);
    std::string state =
        ids_.Seal(TaskIds::Use::kHeld, call, {.server = std::string(call.target.server), .id = id});
    co_return std::make_unique<HeldTask>(
        call, std::move(server), deps_,
        HeldTask::Options{.id = std::move(id), .state = std::move(state), .owns_task = true});
  }
}

// A modern server says only when it is asked that a tool must be a task.
Task<Result<ReplyPtr>> TaskRoutes::ForwardUnlessInsisted(Call& call,
                                                         std::shared_ptr<Service> server) {
  Result<ReplyPtr> reply = co_await server->Handle(call);
  if (!reply || !IsHeldFor(call.client.get())) co_return reply;
  Pulled first = co_await (*reply)->Next();
  const bool insists = first && first->has_value() &&
                       (*first)->error_code() == mcp::kMissingCapability &&
                       mcp::NamesTasks((*first)->error());
  if (!insists) co_return std::make_unique<SeenReply>(std::move(first), std::move(*reply));
  reply->reset();
  Result<ReplyPtr> held = co_await Hold(call, std::move(server));
  co_return held;
}

}  // namespace switchyard::catalog
