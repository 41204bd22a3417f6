#include "downstream/child_link.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "downstream/bad_answer.h"

namespace switchyard::downstream {
namespace {

// How long we wait for an exit status after the end of output, and for the end of output after
// exit.
constexpr Duration kExitGrace = std::chrono::seconds(1);
constexpr std::size_t kShownRubbish = 200;
// A buffer that one big request has grown is given back.
constexpr std::size_t kKeptBuffer = 1024 * 1024;

// A Message has no line break, but texts that were put into it might: between tokens one is blank
// space, and valid JSON has none in its strings. One request must never become two lines.
void FlattenLines(std::string& bytes, std::size_t from) {
  for (std::size_t i = bytes.find('\n', from); i != std::string::npos;
       i = bytes.find('\n', i + 1)) {
    bytes[i] = ' ';
  }
}

}  // namespace

ChildLink::ChildLink(std::string server, std::shared_ptr<Process> process, const Deps& deps,
                     StdioLimits limits, Handlers handlers)
    : server_(std::move(server)),
      deps_(deps),
      limits_(limits),
      handlers_(std::move(handlers)),
      process_(std::move(process)),
      input_(deps.executor(), net::local::stream_protocol(), process_->TakeInput().Release()),
      output_(deps.executor(), net::local::stream_protocol(), process_->TakeOutput().Release()),
      lines_(limits.line),
      exchanges_(
          std::make_shared<Exchanges>(server_, deps,
                                      Exchanges::Limits{.unread_notes = limits.unread_notes,
                                                        .unread_bytes = limits.unread_bytes})),
      errors_(std::make_shared<StderrLog>(server_, deps.clock)),
      rubbish_(limits.rubbish),
      flood_(server_, deps.clock),
      flood_end_(deps.clock) {}

ChildLink::~ChildLink() = default;

void ChildLink::Open() {
  errors_task_ = TaskHandle(deps_.executor(), "stderr " + server_,
                            StderrLog::Run(errors_, deps_.executor(), process_->TakeErrors()));
  process_->OnExit([weak = weak_from_this()](ExitStatus) {
    const std::shared_ptr<ChildLink> self = weak.lock();
    if (self == nullptr) return;
    self->exit_news_.Put(true);
    self->drain_timer_ = self->deps_.timers.In(kExitGrace, [link = self.get()] {
      boost::system::error_code ignored;
      link->output_.close(ignored);
    });
  });
  Spawn(deps_.executor(), "read " + server_, Run(shared_from_this()));
}

Task<void> ChildLink::Run([[maybe_unused]] std::shared_ptr<ChildLink> self) {
  co_await ReadAll();
  if (!cut_off_.empty()) {
    process_->Kill();
  } else if (!closing_) {
    co_await AwaitExit();
  }
  GoDown();
}

Task<void> ChildLink::ReadAll() {
  boost::system::error_code error;
  while (cut_off_.empty()) {
    const std::span<char> room = lines_.Room();
    const std::size_t got = co_await output_.async_read_some(net::buffer(room.data(), room.size()),
                                                             net::redirect_error(use_task, error));
    if (error) co_return;
    lines_.Wrote(got);
    while (std::optional<std::string> line = lines_.Next()) {
      Take(std::move(*line));
      if (!cut_off_.empty()) co_return;
    }
    if (lines_.too_long()) {
      CutOff("line over " + std::to_string(limits_.line / (1024 * 1024)) + " MiB");
    }
  }
}

// End of output without an exit is the end of the session, too.
Task<void> ChildLink::AwaitExit() {
  if (process_->exited()) co_return;
  const Timers::Handle timer = deps_.timers.In(kExitGrace, [this] { exit_news_.Put(false); });
  if (co_await exit_news_.Take()) co_return;
  process_->Kill();
}

void ChildLink::CutOff(std::string reason) {
  if (!cut_off_.empty()) return;
  spdlog::warn("server {}: cut off: {}", server_, reason);
  cut_off_ = std::move(reason);
  boost::system::error_code ignored;
  output_.shutdown(Socket::shutdown_both, ignored);  // ends the read loop
}

void ChildLink::GoDown() {
  if (!std::exchange(up_, false)) return;
  drain_timer_.Cancel();
  deaf_timer_.Cancel();
  boost::system::error_code ignored;
  input_.close(ignored);
  output_.close(ignored);
  std::string reason = "closed its output";
  if (!cut_off_.empty()) {
    reason = cut_off_;
  } else if (closing_) {
    reason = "stopped by the gateway";
  } else if (process_->exited()) {
    reason = ToString(process_->status());
  }
  const Error error{.code = Code::kUnavailable,
                    .origin = Origin::kServer,
                    .message = "server " + server_ + ": " + reason,
                    .detail = errors_->last()};
  FailAll(error);
  Handlers handlers = std::exchange(handlers_, Handlers());
  if (handlers.down && !closing_) handlers.down(error);
}

void ChildLink::FailAll(const Error& error) {
  // What is still here it surely did not see.
  exchanges_->FailAll(error, [this](std::uint64_t begins_at) { return begins_at >= handed_; });
}

void ChildLink::Take(std::string line) {
  std::string answers;
  Result<mcp::Message> message =
      mcp::Message::Parse(std::move(line), mcp::Check::kEnvelope, &answers);
  if (message) return Route(std::move(*message));
  const Error& why = message.error();
  if (!exchanges_->Spoil(answers, NotJsonRpc(why, "").In("server " + server_))) {
    Rubbish(why.message);
  }
}

void ChildLink::Rubbish(std::string_view what) {
  if (rubbish_.Note(deps_.clock.Now())) {
    spdlog::warn("server {}: useless line ({} so far): {}", server_, rubbish_.total(),
                 what.substr(0, kShownRubbish));
  }
  if (rubbish_.too_much()) CutOff(rubbish_.Why("lines"));
}

void ChildLink::Route(mcp::Message message) {
  const bool answers = message.is_response();
  const Exchanges::Routed routed = exchanges_->Route(message);
  if (!answers || routed == Exchanges::Routed::kLate) {
    flood_.Note();
    if (flood_end_.Note()) return CutOff(FloodEnd::Why());
  }
  if (routed == Exchanges::Routed::kUnknown) {
    return Rubbish("answer to an unknown id " + std::string(message.id()));
  }
  if (routed == Exchanges::Routed::kLate) {
    spdlog::debug("server {}: late answer to {}", server_, message.id());
    return;
  }
  rubbish_.SawUse();
  if (routed == Exchanges::Routed::kUnclaimed && handlers_.unsolicited) {
    handlers_.unsolicited(std::move(message));
  }
}

std::size_t ChildLink::open_calls() const { return exchanges_->open_calls(); }

Result<ReplyPtr> ChildLink::Request(const Outgoing& out) {
  const std::uint64_t begins_at = queued_;
  Result<ReplyPtr> reply = exchanges_->Add(out, begins_at);
  if (!reply) return reply;
  if (Result<void> queued = Queue(out.body); !queued) return Failure(std::move(queued.error()));
  return reply;
}

Result<void> ChildLink::Notify(const Outgoing& out) { return Queue(out.body); }

Result<void> ChildLink::Queue(const mcp::Pieces& body) {
  const std::size_t size = mcp::TotalSize(body) + 1;
  const bool full = size > limits_.unsent - std::min(limits_.unsent, unsent_.size());
  if (!up_ || closing_ || full) {
    const std::string why = full ? "does not read its input" : "down";
    return Failure(Error{.code = Code::kUnavailable,
                         .origin = Origin::kServer,
                         .retryable = true,
                         .message = "server " + server_ + ": " + why});
  }
  const std::size_t from = unsent_.size();
  for (const std::string_view piece : body) unsent_.append(piece);
  FlattenLines(unsent_, from);
  unsent_.push_back('\n');
  queued_ += size;
  if (!std::exchange(flush_due_, true)) {
    // Posted, so that all requests of one turn of the loop leave in one write.
    net::post(deps_.executor(), [self = shared_from_this()] { self->Flush(); });
  }
  return {};
}

void ChildLink::Flush() {
  if (unsent_.empty() || !input_.is_open()) {
    flush_due_ = false;
    return;
  }
  if (sending_.capacity() > kKeptBuffer) sending_ = std::string();
  sending_.clear();
  std::swap(sending_, unsent_);
  handed_ = queued_;
  net::async_write(input_, net::buffer(sending_),
                   [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                     if (!error) return self->Flush();
                     self->NoteDeaf();
                   });
}

// A broken pipe is mostly the read loop's news, which also knows the exit status. A child that only
// closed its input would never be heard of again.
void ChildLink::NoteDeaf() {
  if (!up_ || closing_) return;
  deaf_timer_ =
      deps_.timers.In(2 * kExitGrace, [link = this] { link->CutOff("closed its input"); });
}

Task<void> ChildLink::Close() {
  const std::shared_ptr<ChildLink> self = shared_from_this();
  closing_ = true;
  FailAll(Error{.code = Code::kUnavailable,
                .origin = Origin::kServer,
                .message = "server " + server_ + ": stopped by the gateway"});
  boost::system::error_code ignored;
  input_.shutdown(Socket::shutdown_send, ignored);
  co_await process_->Close();
  GoDown();
}

void ChildLink::Abandon() {
  closing_ = true;
  handlers_ = {};
  process_->Kill();
  deaf_timer_.Cancel();
  boost::system::error_code ignored;
  input_.close(ignored);
  output_.close(ignored);
}

}  // namespace switchyard::downstream
