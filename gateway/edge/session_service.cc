#include "edge/session_service.h"

#include <string>
#include <utility>

#include "edge/client_words.h"
#include "edge/legacy_subscribe.h"
#include "edge/legacy_tasks.h"

namespace switchyard::edge {
namespace {

// logging/setLevel: whether there are logs at all is the endpoint's to say, the level is the
// session's.
class LogLevels final : public Service {
 public:
  LogLevels(Service& endpoint, std::shared_ptr<Session> session, Sessions& sessions)
      : endpoint_(endpoint), session_(std::move(session)), sessions_(sessions) {}

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    Result<ReplyPtr> reply = co_await endpoint_.Handle(call);
    if (!reply) co_return reply;
    const std::string level = call.message.GetString(mcp::Key::kLevel);
    if (!LogRank(level)) co_return Failure(UnknownLogLevel(level));
    session_->log_level = level;  // here also if it was forgotten among the known ones
    sessions_.SetLogLevel(session_->client->session, level);
    co_return reply;
  }

 private:
  Service& endpoint_;
  const std::shared_ptr<Session> session_;
  Sessions& sessions_;
};

}  // namespace

SessionService::SessionService(const Call& call, Service& endpoint,
                               const std::shared_ptr<Session>& session, Sessions& sessions,
                               const Shared& shared)
    : endpoint_(endpoint) {
  const mcp::Method method = call.message.method();
  if (method == mcp::Method::kSetLevel) {
    front_ = std::make_unique<LogLevels>(endpoint, session, sessions);
  } else if (SubscribeService::Serves(method)) {
    front_ = std::make_unique<SubscribeService>(session, sessions, shared());
  } else if (LegacyTasks::Concerns(call, sessions)) {
    front_ = std::make_unique<LegacyTasks>(endpoint, session, sessions);
  }
}

}  // namespace switchyard::edge
