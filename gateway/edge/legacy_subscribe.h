// Resource subscriptions of legacy sessions (2025-11-25/server/resources): resources/subscribe and
// resources/unsubscribe become listen calls of their own, and what these bring goes out on the
// session's one stream (GET, or the pipe).
//
// A session may be served by any worker and its stream by another. So each worker keeps the
// subscriptions that were made through it and hands updates to the one who serves the stream;
// while nobody does, they are remembered, each URI once. One thread: the worker's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/news.h"
#include "core/service.h"
#include "edge/sessions.h"

namespace switchyard::edge {

// What one worker has of a session's subscriptions. Owned by the session; the tasks that feed it
// end with it.
class Updates : public std::enable_shared_from_this<Updates> {
 public:
  static constexpr std::size_t kMaxUris = 100;  // of one session, made through this worker

  // Those of the session, made now if there are none yet.
  static std::shared_ptr<Updates> Of(Session& session, Sessions& sessions);

  Updates(Sessions& sessions, std::string session_id);
  Updates(const Updates&) = delete;
  ~Updates();

  // Subscribes as `call`, which is not used after it. An error: the endpoint does not honour it.
  Task<Result<void>> Subscribe(std::string uri, Call& call, std::shared_ptr<Service> endpoint);
  void Unsubscribe(const std::string& uri);
  bool Has(const std::string& uri) const { return subscriptions_.contains(uri); }
  // Worth keeping the session for: somebody reads what comes.
  bool wanted() const { return !subscriptions_.empty() && (reader_ != nullptr || elsewhere_); }

  // For the listen call that stands for the session's stream. Served here as soon as somebody
  // listens, and until nobody does; the last one has it.
  using Told = std::function<void(const ListsKnown&)>;
  // `known`: how far the client knows the lists; `told`: called when it was told of changes.
  std::shared_ptr<News> ForStream(const ListsKnown& known, Told told);

 private:
  struct Subscription {
    TaskHandle task;
    std::shared_ptr<void> place;  // among all that this worker allows
    const void* token = nullptr;
  };
  struct Opening;
  class StreamNews;

  static Task<void> Follow(std::shared_ptr<Opening> opening, std::weak_ptr<Updates> updates);
  void Add(const std::string& uri, const std::string& whole);
  void Ended(const std::string& uri, const void* token);
  void SayAlsoHere(const std::string& uri);
  void AlsoAt(const std::string& uri, unsigned worker);

  // What workers tell each other about the stream.
  void SayStreamIsHere();
  void StreamIsElsewhere();
  void StreamIsGone();
  void AskForStream();
  void News(const std::set<std::string>& uris);
  void Tell(std::function<void(Updates&)> what);

  void OpenStream(StreamNews& reader);
  void CloseStream(const StreamNews& reader);
  std::optional<std::string> TakeDue();
  void WakeReader();

  Sessions& sessions_;
  const std::string session_id_;
  std::map<std::string, Subscription> subscriptions_;
  std::set<std::string> due_;
  StreamNews* reader_ = nullptr;  // of the stream served here
  bool had_stream_ = false;       // the last one was here: what is sent after it is kept here
  bool elsewhere_ = false;        // another worker serves the stream
};

// In front of an endpoint, for resources/subscribe and resources/unsubscribe of a session.
class SubscribeService final : public Service {
 public:
  static bool Serves(mcp::Method method) {
    return method == mcp::Method::kSubscribe || method == mcp::Method::kUnsubscribe;
  }
  // `endpoint` null: it is gone. Sessions outlive this.
  SubscribeService(std::shared_ptr<Session> session, Sessions& sessions,
                   std::shared_ptr<Service> endpoint)
      : session_(std::move(session)), sessions_(sessions), endpoint_(std::move(endpoint)) {}
  Task<Result<ReplyPtr>> Handle(Call& call) override;

 private:
  const std::shared_ptr<Session> session_;
  Sessions& sessions_;
  const std::shared_ptr<Service> endpoint_;
};

}  // namespace switchyard::edge
