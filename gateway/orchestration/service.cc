#include "orchestration/service.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "mcp/error_map.h"

namespace switchyard::orchestration {
namespace {

constexpr std::string_view kInstructions =
    "Tasks for agents: create_task, route_task and assign_task hand out work; poll_tasks with "
    "claim "
    "takes it; start_task, then complete_task or fail_task. Keep answers small with limit, filters "
    "and fields.";

// Of one who is proved; what nobody proved is everybody's.
std::string KeyOf(const Principal& caller) {
  if (caller.subject.empty()) return "";
  return caller.issuer + "\n" + caller.subject;
}

mcp::Message ResultOf(const Call& call, const Answer& answer) {
  const boost::json::object text{{"type", "text"}, {"text", answer.text}};
  return mcp::Message::FromResult(
      call.message.id(),
      fmt::format(R"({{"resultType":"complete","content":[{}],"structuredContent":{}}})",
                  boost::json::serialize(text), boost::json::serialize(answer.content)));
}

// What the caller did wrong it is told as a tool's error, which agents can act on. What is wrong
// with the database is the operator's: its words are for the log.
Result<ReplyPtr> ReplyTo(const Call& call, Error error) {
  if (error.origin == Origin::kClient) {
    return ReplyWith(mcp::ToolErrorMessage(call.message.id(), error));
  }
  if (error.code == Code::kRateLimited) return Failure(std::move(error));
  spdlog::error("orchestration: {}: {}", error.message, error.detail);
  return Failure(Error{.code = error.code == Code::kInternal ? error.code : Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = error.retryable,
                       .message = error.retryable
                                      ? "server orchestration: its records cannot be used at "
                                        "present; nothing was changed"
                                      : "server orchestration: its records cannot be used at "
                                        "present; look whether the call took effect",
                       .detail = std::move(error.message)});
}

}  // namespace

Task<Result<ServerFacts>> Service::Connect() {
  co_return ServerFacts{
      .capabilities = R"({"tools":{}})",
      .instructions = std::string(kInstructions),
      .info = R"({"name":"orchestration","version":")" SWITCHYARD_VERSION R"("})"};
}

Task<Result<ReplyPtr>> Service::Handle(Call& call) {
  switch (call.message.method()) {
    case mcp::Method::kToolsList:
      co_return ReplyWith(mcp::Message::FromResult(
          call.message.id(),
          R"({"resultType":"complete","ttlMs":3600000,"cacheScope":"public","tools":)" +
              ToolList() + "}"));
    case mcp::Method::kToolsCall: {
      Result<ReplyPtr> reply = co_await CallTool(call);
      co_return reply;
    }
    default:
      co_return ReplyWith(mcp::Message::MakeError(call.message.id(), mcp::kMethodNotFound,
                                                  "server orchestration has tools only"));
  }
}

Task<Result<ReplyPtr>> Service::CallTool(Call& call) {
  const Tool* const tool = FindTool(call.target.name);
  if (tool == nullptr) {
    co_return Failure(Code::kNotFound, Origin::kClient, "unknown tool: " + call.target.name);
  }
  Arguments arguments(call.message.Get(mcp::Key::kArguments));
  Result<Operation> operation = tool->prepare(arguments);
  if (!operation) co_return ReplyTo(call, std::move(operation.error()));
  operation->may_force = desk_->MayForce(*call.caller);
  Result<Answer> answer =
      co_await desk_->Run(std::move(*operation), KeyOf(*call.caller), call.deadline, deps_);
  if (!answer) co_return ReplyTo(call, std::move(answer.error()));
  co_return ReplyWith(ResultOf(call, *answer));
}

}  // namespace switchyard::orchestration
