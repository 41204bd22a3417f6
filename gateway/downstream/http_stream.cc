#include "downstream/http_stream.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/http_answer.h"

namespace switchyard::downstream {
namespace {

constexpr std::chrono::milliseconds kDefaultPause{1000};
constexpr std::chrono::milliseconds kMinPause{50};
constexpr std::chrono::seconds kMaxPause{60};
constexpr std::chrono::seconds kReopenPatience{30};
constexpr int kMaxFailed = 3;
constexpr int kMaxSilent = 30;
constexpr std::size_t kMaxEventId = 4096;

bool FitsHeader(std::string_view text) {
  return text.size() <= kMaxEventId && std::ranges::all_of(text, [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
         });
}

}  // namespace

HttpStream::HttpStream(const Deps& deps, http::ConnectionPtr connection, HttpStreamSetup setup)
    : deps_(deps),
      setup_(std::move(setup)),
      connection_(std::move(connection)),
      events_(std::in_place),
      flood_end_(deps.clock) {
  if (!setup_.id) connection_->SetDeadline(Deadline());
}

std::unexpected<Error> HttpStream::Fail(Error error) {
  connection_.reset();
  return Failure(std::move(error).In(setup_.label));
}

Task<Result<std::optional<mcp::Message>>> HttpStream::Next() {
  for (;;) {
    Got got = json_ ? FromJson() : FromEvents();
    if (!got || *got) co_return got;
    Result<bool> more = co_await Read();
    if (!more) co_return std::unexpected(std::move(more.error()));
    if (!*more) co_return std::optional<mcp::Message>();
  }
}

HttpStream::Got HttpStream::FromEvents() {
  while (std::optional<mcp::SseEvent> event = events_->Next()) {
    if (flood_end_.Note()) return CutOff();
    failed_ = silent_ = 0;
    last_id_ = event->id;
    if (event->retry_ms) retry_ms_ = event->retry_ms;
    if (setup_.on_event) {
      Result<void> taken = setup_.on_event(std::move(*event));
      if (!taken) return Fail(std::move(taken.error()));
      continue;
    }
    if (event->data.empty()) continue;  // a priming event: only its id counts
    if (!event->event.empty() && event->event != "message") continue;
    Result<mcp::Message> message =
        mcp::Message::Parse(std::move(event->data), mcp::Check::kEnvelope);
    if (!message) {
      return Fail({.code = Code::kProtocol,
                   .origin = Origin::kServer,
                   .message = "event is not JSON-RPC: " + message.error().message});
    }
    if (!setup_.id && message->is_response()) continue;  // nobody asked on this stream
    return Deliver(std::move(*message));
  }
  // A block without data yields no event, but its fields count.
  if (!events_->last_event_id().empty()) last_id_ = events_->last_event_id();
  if (events_->retry_ms()) retry_ms_ = events_->retry_ms();
  return std::optional<mcp::Message>();
}

// Whoever reads it hears of it as of any other break; a GET stream or a listen is opened again
// after a pause that grows.
std::unexpected<Error> HttpStream::CutOff() {
  std::unexpected<Error> ended = Fail({.code = Code::kProtocol,
                                       .origin = Origin::kServer,
                                       .message = "cut off: " + FloodEnd::Why()});
  spdlog::warn("{}", ended.error().message);
  return ended;
}

HttpStream::Got HttpStream::FromJson() {
  http::ResponseParser& parser = connection_->parser();
  if (!parser.done()) return std::optional<mcp::Message>();
  Result<mcp::Message> answer =
      ReadAnswer(parser.status(), parser.TakeBody(), setup_.id.value_or(""));
  if (!answer) return Fail(std::move(answer.error()));
  return Deliver(std::move(*answer));
}

HttpStream::Got HttpStream::Deliver(mcp::Message message) {
  if (setup_.flood != nullptr && !message.is_response()) setup_.flood->Note();
  if (setup_.id) {
    Result<bool> settled = Settle(message, *setup_.id);
    if (!settled) return Fail(std::move(settled.error()));
    if (*settled) setup_.pool->GiveBack(std::move(connection_));
  }
  return std::optional<mcp::Message>(std::move(message));
}

Task<Result<bool>> HttpStream::Read() {
  http::ResponseParser* parser = &connection_->parser();
  if (parser->body().empty() || json_) {
    if (parser->done()) {
      const bool for_good = !setup_.id && !CanResume();
      if (for_good) co_return false;
      co_return co_await Resume({.code = Code::kUnavailable,
                                 .origin = Origin::kServer,
                                 .message = "stream ended before the answer"});
    }
    const std::size_t arrived = co_await connection_->Arrival();
    Result<bool> received = connection_->Receive(arrived);
    if (!received) co_return co_await Resume(std::move(received.error()));
  }
  if (parser->body().empty()) co_return true;
  if (std::exchange(first_bytes_, false)) json_ = LooksLikeJson(parser->body());
  if (json_) co_return true;
  Result<void> fed = events_->Feed(parser->TakeBody());
  if (!fed) co_return Fail(std::move(fed.error()));
  co_return true;
}

bool HttpStream::CanResume() const {
  return setup_.resumable && !last_id_.empty() && FitsHeader(last_id_) && failed_ < kMaxFailed &&
         silent_ < kMaxSilent;
}

// As the server wished, but slower the longer nothing comes of it.
Duration HttpStream::Pause() const {
  Duration pause = retry_ms_ ? Duration(std::chrono::milliseconds(*retry_ms_)) : kDefaultPause;
  pause = std::max<Duration>(pause, kMinPause * (1 << std::min(failed_ + silent_, 6)));
  return std::min<Duration>(pause, kMaxPause);
}

Task<Result<bool>> HttpStream::Resume(Error why) {
  connection_.reset();
  while (why.code == Code::kUnavailable && CanResume()) {
    const Duration pause = Pause();
    if (setup_.deadline.Passed(deps_.clock.Now() + pause)) {
      co_return Fail(
          {.code = Code::kDeadline, .origin = Origin::kServer, .message = "no answer in time"});
    }
    co_await deps_.timers.Sleep(pause);
    Result<void> reopened = co_await Reopen();
    if (reopened) {
      ++silent_;
      co_return true;
    }
    ++failed_;
    why = std::move(reopened.error());
  }
  why.retryable = false;  // the request itself had reached the server
  co_return Fail(std::move(why));
}

Task<Result<void>> HttpStream::Reopen() {
  const std::string headers = setup_.headers + "Last-Event-ID: " + last_id_ + "\r\n";
  HttpRequest request{.head = setup_.resume_head, .headers = headers, .repeatable = true};
  request.deadline = setup_.id ? setup_.deadline : Deadline::In(deps_.clock, kReopenPatience);
  Result<http::ConnectionPtr> sent = co_await setup_.pool->Send(request);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  const http::ResponseParser& parser = (*sent)->parser();
  if (parser.status() != 200 || !IsEventStream(parser)) {
    const int status = parser.status() >= 400 ? parser.status() : 406;
    co_return Failure(StatusError(status, parser.body()));
  }
  connection_ = std::move(*sent);
  if (!setup_.id) connection_->SetDeadline(Deadline());
  events_.emplace();
  first_bytes_ = true;
  co_return Result<void>();
}

}  // namespace switchyard::downstream
