#include "downstream/sse_session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/http/url.h"
#include "downstream/bad_answer.h"

namespace switchyard::downstream {
namespace {

constexpr std::size_t kShownRubbish = 200;

Error ProtocolError(std::string message) {
  return Error{.code = Code::kProtocol, .origin = Origin::kServer, .message = std::move(message)};
}

}  // namespace

// In the frame of each task: what the frame holds (a connection) goes before it.
struct SseSession::Running {
  explicit Running(SseSession& owner) : session(owner) { ++session.running_; }
  Running(const Running&) = delete;
  ~Running() {
    if (--session.running_ == 0) session.all_ended_.Put(true);
  }
  SseSession& session;
};

SseSession::SseSession(config::Server server, const Deps& deps, SseLimits limits, Handlers handlers)
    : server_(std::move(server)),
      deps_(deps),
      limits_(limits),
      handlers_(std::move(handlers)),
      exchanges_(std::make_shared<Exchanges>(server_.name, deps, limits.exchanges)),
      reader_(server_, deps),
      rubbish_(limits.rubbish),
      flood_(server_.name, deps.clock) {}

Task<Result<void>> SseSession::Open() {
  const std::shared_ptr<SseSession> self = shared_from_this();
  Result<void> started = co_await reader_.Start();
  if (!started) co_return started;
  const mcp::Pieces nothing;
  const Deadline deadline = Deadline::In(deps_.clock, limits_.endpoint);
  Result<ReplyPtr> stream = co_await reader_.OpenEvents(
      {.body = nothing, .id = {}, .headers = {}, .deadline = deadline},
      [session = this](mcp::SseEvent event) { return session->TakeEvent(std::move(event)); });
  if (over_) co_return Down();
  if (!stream) co_return Failure(std::move(stream.error()));
  const Timers::Handle timer = deps_.timers.At(deadline.at(), [this] {
    CutOff({.code = Code::kDeadline,
            .origin = Origin::kServer,
            .message = "server " + server_.name + ": its stream names no endpoint"});
  });
  reading_ = TaskHandle(deps_.executor(), "read " + server_.name, Read(self, std::move(*stream)));
  Result<void> opened = co_await opened_.Take();
  co_return opened;
}

Task<void> SseSession::Read([[maybe_unused]] std::shared_ptr<SseSession> self, ReplyPtr opened) {
  const Running running(*this);
  ReplyPtr stream = std::move(opened);
  Result<std::optional<mcp::Message>> end = co_await stream->Next();
  stream.reset();
  if (!end) {
    GoDown(std::move(end.error()));
  } else {
    GoDown({.code = Code::kUnavailable,
            .origin = Origin::kServer,
            .message = "server " + server_.name + ": closed its stream"});
  }
}

Result<void> SseSession::TakeEvent(mcp::SseEvent event) {
  if (over_) return Down();
  if (writer_ == nullptr) {
    if (event.event == "endpoint") return TakeAddress(event.data);
    return Failure(ProtocolError("the first event is no endpoint: no stream of HTTP+SSE"));
  }
  if ((!event.event.empty() && event.event != "message") || event.data.empty()) return {};
  return TakeMessage(std::move(event.data));
}

// The configured headers hold credentials, so they go to no other origin, whatever a server says.
Result<void> SseSession::TakeAddress(const std::string& address) {
  const std::optional<http::Url> here = http::Url::Parse(server_.url.Reveal());
  const std::optional<http::Url> there = here ? here->Resolve(address) : std::nullopt;
  if (!there) return Failure(ProtocolError("its endpoint is no usable address"));
  if (!there->SameOrigin(*here)) {
    return Failure(ProtocolError("its endpoint is of another origin: " + there->origin()));
  }
  config::Server endpoint = server_;
  endpoint.url =
      config::Secret(there->origin() + there->target, there->origin() + std::string(there->path()));
  writer_ = std::make_unique<HttpTransport>(endpoint, deps_);
  up_ = true;
  opened_.Put(Result<void>());
  return {};
}

Result<void> SseSession::TakeMessage(std::string text) {
  std::string answered;
  Result<mcp::Message> parsed =
      mcp::Message::Parse(std::move(text), mcp::Check::kEnvelope, &answered);
  if (!parsed) {
    const Error& why = parsed.error();
    const bool spoilt =
        exchanges_->Spoil(answered, NotJsonRpc(why, "").In("server " + server_.name));
    return spoilt ? Result<void>() : Rubbish(why.message);
  }
  mcp::Message message = std::move(*parsed);
  const bool answers = message.is_response();
  const Exchanges::Routed routed = exchanges_->Route(message);
  if (!answers || routed == Exchanges::Routed::kLate) flood_.Note();
  if (routed == Exchanges::Routed::kUnknown) {
    return Rubbish("answer to an unknown id " + std::string(message.id()));
  }
  if (routed == Exchanges::Routed::kLate) return {};
  rubbish_.SawUse();
  if (routed == Exchanges::Routed::kUnclaimed && handlers_.unsolicited) {
    handlers_.unsolicited(std::move(message));
  }
  return {};
}

Result<void> SseSession::Rubbish(std::string_view what) {
  if (rubbish_.Note(deps_.clock.Now())) {
    spdlog::warn("server {}: useless event ({} so far): {}", server_.name, rubbish_.total(),
                 what.substr(0, kShownRubbish));
  }
  if (!rubbish_.too_much()) return {};
  return Failure(ProtocolError(rubbish_.Why("events")));
}

Result<ReplyPtr> SseSession::Request(const Outgoing& out) {
  if (!up_) return Down();
  const std::size_t size = mcp::TotalSize(out.body);
  std::erase_if(posting_, [](const TaskHandle& one) { return !one.running(); });
  if (posting_.size() >= limits_.posts || size > limits_.unsent - unsent_) {
    return Failure(Error{.code = Code::kUnavailable,
                         .origin = Origin::kServer,
                         .retryable = true,
                         .message = "server " + server_.name + ": does not take its input"});
  }
  Result<ReplyPtr> reply = exchanges_->Add(out, 0);
  if (!reply) return reply;
  const std::uint64_t id = std::stoull(std::string(out.id));
  TaskHandle running(deps_.executor(), "post to " + server_.name,
                     Post(shared_from_this(), mcp::Join(out.body), std::string(out.headers),
                          out.deadline, id));  // it starts in here
  posting_.push_back(std::move(running));
  return reply;
}

Task<void> SseSession::Post([[maybe_unused]] std::shared_ptr<SseSession> self, std::string body,
                            std::string headers, Deadline deadline, std::uint64_t id) {
  struct Unsent {
    Unsent(std::size_t& total, std::size_t own) : sum(total), size(own) { sum += size; }
    Unsent(const Unsent&) = delete;
    ~Unsent() { sum -= size; }
    std::size_t& sum;
    const std::size_t size;
  };
  const Running running(*this);
  const Unsent unsent(unsent_, body.size());
  const mcp::Pieces pieces{std::string_view(body)};
  Sent sent = co_await Send(pieces, headers, deadline);
  if (sent.result) co_return;
  // A deadline is the request's own, told by its timer.
  if (sent.result.error().code != Code::kDeadline) exchanges_->Fail(id, sent.result.error());
  if (sent.lost) CutOff(std::move(sent.result.error()));
}

Task<Result<void>> SseSession::Notify(Outgoing out) {
  const std::shared_ptr<SseSession> self = shared_from_this();
  if (!up_) co_return Down();
  Sent sent = co_await Send(out.body, out.headers, out.deadline);
  if (sent.lost) CutOff(sent.result.error());
  // Taken by a server whose stream has ended meanwhile: nothing comes of it.
  if (sent.result && !up_) co_return Down();
  co_return std::move(sent.result);
}

// A server that cannot be reached or does not know the session is down, though its stream is silent
// about it. It looked at nothing then.
Task<SseSession::Sent> SseSession::Send(const mcp::Pieces& body, std::string_view headers,
                                        Deadline deadline) {
  HttpFacts facts;
  Sent sent{
      .result = co_await writer_->Notify(
          {.body = body, .id = {}, .headers = headers, .deadline = deadline, .facts = &facts})};
  if (sent.result || over_) co_return sent;
  Error& error = sent.result.error();
  const bool gone = facts.status == 404;
  const bool unreachable = facts.status == 0 && error.code == Code::kUnavailable && error.retryable;
  sent.lost = gone || unreachable;
  if (gone) {
    error.code = Code::kUnavailable;
    error.retryable = true;
  }
  co_return sent;
}

// From within the reading task or instead of it.
void SseSession::CutOff(Error why) {
  if (over_) return;
  reading_.Cancel();
  GoDown(std::move(why));
}

void SseSession::GoDown(Error why) {
  if (std::exchange(over_, true)) return;
  const bool was_up = std::exchange(up_, false);
  if (was_up) why.code = Code::kUnavailable;
  why.retryable = false;
  posting_.clear();
  exchanges_->FailAll(why, [](std::uint64_t) { return false; });
  Handlers handlers = std::exchange(handlers_, Handlers());
  if (!was_up) {
    opened_.Put(Failure(std::move(why)));
  } else if (handlers.down) {
    handlers.down(std::move(why));
  }
}

void SseSession::Abandon() {
  handlers_ = {};
  CutOff({.code = Code::kUnavailable,
          .origin = Origin::kServer,
          .message = "server " + server_.name + ": stopped by the gateway"});
}

Task<void> SseSession::Close() {
  const std::shared_ptr<SseSession> self = shared_from_this();
  Abandon();
  while (running_ > 0) co_await all_ended_.Take();
  co_await reader_.Close();
  if (writer_ != nullptr) co_await writer_->Close();
}

std::unexpected<Error> SseSession::Down() const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = true,
                       .message = "server " + server_.name + ": down"});
}

}  // namespace switchyard::downstream
