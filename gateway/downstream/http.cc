#include "downstream/http.h"

#include <utility>

#include "base/http/status.h"
#include "downstream/http_answer.h"

namespace switchyard::downstream {
namespace {

constexpr std::string_view kVerbs[] = {"POST", "GET", "DELETE"};

bool IsRedirect(int status) { return status >= 300 && status < 400 && status != 304; }

}  // namespace

HttpTransport::HttpTransport(const config::Server& server, const Deps& deps)
    : deps_(deps),
      name_(server.name),
      url_(http::Url::Parse(server.url.Reveal())),
      flood_(std::make_shared<FloodWatch>(server.name, deps.clock)) {
  if (!url_) return;
  const std::optional<http::Url> shown = http::Url::Parse(server.url.Shown());
  if (shown) shown_path_ = " " + std::string(shown->path());
  fixed_headers_ =
      "Host: " + url_->authority + "\r\nUser-Agent: switchyard/" SWITCHYARD_VERSION "\r\n";
  for (const auto& [name, value] : server.headers) {
    fixed_headers_.append(name).append(": ").append(value.Reveal()).append("\r\n");
  }
  for (const Verb verb : {Verb::kPost, Verb::kGet, Verb::kDelete}) {
    heads_[static_cast<std::size_t>(verb)] = Head(verb, url_->target);
  }
  pool_ = std::make_shared<HttpPool>(
      deps, *url_, http::TlsTrust{.authorities = server.tls_ca, .pin = server.tls_pin});
}

std::string HttpTransport::Head(Verb verb, std::string_view target) const {
  std::string head(kVerbs[static_cast<std::size_t>(verb)]);
  head.append(" ").append(target).append(" HTTP/1.1\r\n").append(fixed_headers_);
  switch (verb) {
    case Verb::kPost:
      head.append(
          "Content-Type: application/json\r\n"
          "Accept: application/json, text/event-stream\r\n");
      break;
    case Verb::kGet: head.append("Accept: text/event-stream\r\n"); break;
    case Verb::kDelete: break;
  }
  return head;
}

std::string HttpTransport::Label(Verb verb) const {
  return "server " + name_ + ": " + std::string(kVerbs[static_cast<std::size_t>(verb)]) +
         shown_path_;
}

std::unexpected<Error> HttpTransport::Fail(Verb verb, Error error) const {
  return Failure(std::move(error).In(Label(verb)));
}

Task<Result<void>> HttpTransport::Start() {
  if (!url_) {
    co_return Failure(Code::kInvalid, Origin::kGateway, "server " + name_ + ": url is not usable");
  }
  pool_->Reopen();
  Result<void> prepared = pool_->Prepare();
  if (!prepared) co_return Failure(std::move(prepared.error()).In("server " + name_));
  co_return Result<void>();
}

Task<Result<http::ConnectionPtr>> HttpTransport::Exchange(Verb verb, Outgoing out) {
  const HttpRequest request{.head = heads_[static_cast<std::size_t>(verb)],
                            .headers = out.headers,
                            .body = verb == Verb::kPost ? &out.body : nullptr,
                            .deadline = out.deadline,
                            .repeatable = verb != Verb::kPost || out.repeatable};
  Result<http::ConnectionPtr> sent = co_await pool_->Send(request);
  if (sent && IsRedirect((*sent)->parser().status())) {
    sent = co_await Follow(verb, out, std::move(*sent));
  }
  if (!sent) co_return Fail(verb, std::move(sent.error()));
  if (out.facts != nullptr) {
    const switchyard::http::ResponseParser& parser = (*sent)->parser();
    out.facts->status = parser.status();
    out.facts->session_id = parser.Get(switchyard::http::Field::kMcpSessionId);
    if (parser.status() == 401 || parser.status() == 403) {
      std::string& all = out.facts->challenge;
      all.clear();
      for (const auto* one = parser.Find("www-authenticate"); one != nullptr;
           one = parser.Find("www-authenticate", one)) {
        all += (all.empty() ? "" : ", ") + std::string(one->value);
      }
    }
  }
  co_return sent;
}

Task<Result<http::ConnectionPtr>> HttpTransport::Follow(Verb verb, Outgoing out,
                                                        http::ConnectionPtr redirected) {
  const int status = redirected->parser().status();
  const std::string location(redirected->parser().Get(switchyard::http::Field::kLocation));
  const std::optional<http::Url> target = url_->Resolve(location);
  const auto refuse = [&](std::string why) {
    return Failure(Code::kProtocol, Origin::kServer,
                   "redirect (" + std::to_string(status) + ") refused: " + std::move(why),
                   "location: " + (target ? target->origin() : "unreadable"));
  };
  if (status != 307 && status != 308) co_return refuse("it would drop the message");
  if (!target) co_return refuse("no usable location");
  if (!target->SameOrigin(*url_)) co_return refuse("it leads to another origin");
  pool_->GiveBack(std::move(redirected));
  const std::string head = Head(verb, target->target);
  const HttpRequest request{.head = head,
                            .headers = out.headers,
                            .body = verb == Verb::kPost ? &out.body : nullptr,
                            .deadline = out.deadline,
                            .repeatable = verb != Verb::kPost || out.repeatable};
  Result<http::ConnectionPtr> sent = co_await pool_->Send(request);
  if (sent && IsRedirect((*sent)->parser().status())) co_return refuse("it leads to another one");
  co_return sent;
}

ReplyPtr HttpTransport::Stream(Verb verb, const Outgoing& out, http::ConnectionPtr connection,
                               OnEvent on_event) {
  HttpStreamSetup setup{
      .pool = pool_, .label = Label(verb), .deadline = out.deadline, .flood = flood_};
  if (verb == Verb::kPost) {
    setup.id = std::string(out.id);
  } else {
    setup.deadline = Deadline();
  }
  setup.resumable = on_event == nullptr && (out.resumable || verb == Verb::kGet);
  setup.on_event = std::move(on_event);
  if (setup.resumable) {
    setup.resume_head = heads_[static_cast<std::size_t>(Verb::kGet)];
    setup.headers = std::string(out.headers);
  }
  return std::make_unique<HttpStream>(deps_, std::move(connection), std::move(setup));
}

Task<Result<ReplyPtr>> HttpTransport::Request(Outgoing out) {
  Result<http::ConnectionPtr> sent = co_await Exchange(Verb::kPost, out);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  http::ConnectionPtr connection = std::move(*sent);
  switchyard::http::ResponseParser& parser = connection->parser();
  const int status = parser.status();
  while (!parser.done() && !IsEventStream(parser)) {
    const std::size_t arrived = co_await connection->Arrival();
    Result<bool> received = connection->Receive(arrived);
    if (received) continue;
    if (status >= 400 && received.error().code == Code::kUnavailable) break;
    co_return Fail(Verb::kPost, std::move(received.error()));
  }
  if (status < 400 && IsEventStream(parser)) {
    co_return Stream(Verb::kPost, out, std::move(connection));
  }
  const std::string retry_after(status >= 400 ? parser.Get(switchyard::http::Field::kRetryAfter)
                                              : std::string_view());
  Result<mcp::Message> answer = ReadAnswer(status, parser.TakeBody(), out.id);
  // An answer to something else: whose would the next one be?
  if (answer || status >= 400) pool_->GiveBack(std::move(connection));
  if (!answer) {
    if (status >= 400) NoteStatus(answer.error(), status, retry_after, deps_.clock.WallNow());
    co_return Fail(Verb::kPost, std::move(answer.error()));
  }
  co_return ReplyWith(std::move(*answer));
}

Task<Result<void>> HttpTransport::Notify(Outgoing out) {
  Result<http::ConnectionPtr> sent = co_await Exchange(Verb::kPost, out);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  http::ConnectionPtr connection = std::move(*sent);
  const int status = connection->parser().status();
  Error refused = StatusError(status, connection->parser().body());
  pool_->GiveBack(std::move(connection));
  if (status >= 400) co_return Fail(Verb::kPost, std::move(refused));
  co_return Result<void>();
}

Task<Result<ReplyPtr>> HttpTransport::OpenEvents(Outgoing out, OnEvent on_event) {
  Result<http::ConnectionPtr> sent = co_await Exchange(Verb::kGet, out);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  http::ConnectionPtr connection = std::move(*sent);
  const switchyard::http::ResponseParser& parser = connection->parser();
  if (parser.status() < 400 && IsEventStream(parser)) {
    co_return Stream(Verb::kGet, out, std::move(connection), std::move(on_event));
  }
  Error why = StatusError(parser.status(), parser.body());
  if (parser.status() < 400) {
    why.code = Code::kNotFound;
    why.message = std::to_string(parser.status()) + " without a stream";
  }
  pool_->GiveBack(std::move(connection));
  co_return Fail(Verb::kGet, std::move(why));
}

Task<Result<void>> HttpTransport::EndSession(Outgoing out) {
  Result<http::ConnectionPtr> sent = co_await Exchange(Verb::kDelete, out);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  pool_->GiveBack(std::move(*sent));
  co_return Result<void>();
}

Task<void> HttpTransport::Close() {
  if (pool_) pool_->Close();
  co_return;
}

}  // namespace switchyard::downstream
