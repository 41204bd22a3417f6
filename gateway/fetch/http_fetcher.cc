#include "fetch/http_fetcher.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/http/grammar.h"
#include "base/wipe.h"
#include "base/worker_timers.h"
#include "telemetry/metrics.h"

namespace switchyard::fetch {
namespace {

constexpr unsigned kMostRedirects = 5;
constexpr std::size_t kMostHeaders = 64;  // of a request
// The fetcher says these itself: two of one would be two readings of a request.
constexpr std::array<std::string_view, 8> kOwn = {
    "host",       "user-agent",        "content-length", "accept-encoding",
    "connection", "transfer-encoding", "expect",         "upgrade"};

std::unexpected<Error> Wrong(Code code, std::string message) {
  return Failure(code, Origin::kServer, std::move(message));
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<std::string> HeadOf(const Request& request, const http::Url& url) {
  const bool post = request.method == "POST";
  if (!post && request.method != "GET") {
    return Failure(Code::kInternal, Origin::kGateway, "a fetch must be GET or POST");
  }
  if (request.headers.size() > kMostHeaders) {
    return Failure(Code::kInternal, Origin::kGateway, "a fetch with too many headers");
  }
  std::string head = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
                     "\r\nUser-Agent: switchyard/" SWITCHYARD_VERSION
                     "\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
  for (const Header& header : request.headers) {
    const bool own = std::ranges::any_of(kOwn, [&header](std::string_view name) {
      return http::EqualsIgnoreCase(name, header.name);
    });
    if (own || !http::IsToken(header.name) || !http::IsFieldValue(header.value)) {
      return Failure(Code::kInternal, Origin::kGateway,
                     "a fetch cannot send the header " + header.name.substr(0, 40));
    }
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (post) head.append("Content-Length: ").append(std::to_string(request.body.size())) += "\r\n";
  return head + "\r\n";
}

Result<Response> ResponseOf(http::ResponseParser& parser) {
  const std::string_view encoding = parser.Get(http::Field::kContentEncoding);
  if (!encoding.empty() && !http::EqualsIgnoreCase(encoding, "identity")) {
    return Wrong(Code::kProtocol, "an answer with a content encoding that was not asked for");
  }
  Response response{.status = parser.status(), .headers = {}, .body = {}};
  response.headers.reserve(parser.headers().size());
  for (const http::Header& header : parser.headers()) {
    response.headers.push_back({std::string(header.name), std::string(header.value)});
  }
  response.body = parser.TakeBody();
  return response;
}

std::string_view OutcomeOf(const Result<Response>& result) {
  if (result) return result->status < 400 ? "ok" : "status";
  switch (result.error().code) {
    case Code::kForbidden: return "refused";
    case Code::kUnavailable: return "unreachable";
    case Code::kDeadline: return "timeout";
    case Code::kTooLarge: return "too_large";
    default: return "protocol";
  }
}

}  // namespace

Result<std::shared_ptr<const Terms>> Terms::Make(const config::Fetch& fetch) {
  std::vector<http::Place> places;
  for (const std::string& text : fetch.allow) {
    std::optional<http::Place> place = http::Place::Parse(text);
    if (!place) {
      return Failure(Code::kInvalid, Origin::kGateway, "fetch.allow: names no place: " + text);
    }
    places.push_back(std::move(*place));
  }
  auto terms = std::make_shared<Terms>(fetch.tls_ca);
  terms->guard = Guard(std::move(places));
  terms->timeout = fetch.timeout;
  terms->max_bytes = fetch.max_bytes;
  if (fetch.tls_ca.empty()) return terms;
  if (Result<http::TlsClient*> tls = terms->Tls(); !tls) {
    Error error = std::move(tls.error()).In("fetch.tls_ca");
    error.code = Code::kInvalid;
    return Failure(std::move(error));
  }
  return terms;
}

Result<http::TlsClient*> Terms::Tls() const {
  const std::lock_guard lock(mutex_);
  if (tls_ == nullptr) {
    Result<std::unique_ptr<http::TlsClient>> made =
        http::TlsClient::Make({.authorities = authorities_});
    if (!made) return Failure(std::move(made.error()));
    tls_ = std::move(*made);
  }
  return tls_.get();
}

void HttpFetcher::Use(std::shared_ptr<const Terms> terms) {
  const std::lock_guard lock(mutex_);
  terms_ = std::move(terms);
}

std::shared_ptr<const Terms> HttpFetcher::TermsNow() const {
  const std::lock_guard lock(mutex_);
  return terms_;
}

void HttpFetcher::Count(const Result<Response>& result) const {
  metrics_.CounterOf("switchyard_fetches_total", {std::string(OutcomeOf(result))}).Add();
}

Task<Result<Response>> HttpFetcher::Fetch(Request request, Deadline deadline) {
  std::shared_ptr<const Terms> terms = TermsNow();
  if (terms == nullptr) {
    co_return Failure(Code::kForbidden, Origin::kGateway, "nothing is fetched yet");
  }
  if (!request.own_time) deadline.ShrinkTo(Deadline::In(clock_, terms->timeout));
  Result<Response> result = co_await Follow(std::move(request), deadline, std::move(terms));
  Count(result);
  co_return result;
}

Task<Result<Response>> HttpFetcher::Follow(Request request, Deadline deadline,
                                           std::shared_ptr<const Terms> terms) {
  const WipedAtEnd wiped(request.body);  // it may have a token in it
  Result<http::Url> url = terms->guard.CheckUrl(request.url);
  if (!url) co_return Failure(std::move(url.error()));
  const unsigned most = std::min(request.max_redirects, kMostRedirects);
  for (unsigned redirects = 0;; ++redirects) {
    Result<Response> response = co_await Exchange(request, *url, deadline, terms);
    if (!response) co_return Failure(std::move(response.error()).In(url->origin()));
    if (request.max_redirects == 0 || !IsRedirect(response->status)) co_return response;
    const auto refuse = [&url](std::string_view why) {
      return Wrong(Code::kProtocol, url->origin() + ": redirect refused: " + std::string(why));
    };
    if (redirects == most) co_return refuse("one too many");
    const std::string_view location = response->Find("Location");
    const std::optional<http::Url> to = location.empty() ? std::nullopt : url->Resolve(location);
    if (!to) co_return refuse("no usable location");
    switch (FollowOf(*url, *to, request.method == "POST", response->status)) {
      case Follow::kNo: co_return refuse("it would take the request where it was not meant for");
      case Follow::kBare:
        std::erase_if(request.headers, [](const Header& header) {
          return !http::EqualsIgnoreCase(header.name, "Accept");
        });
        break;
      case Follow::kWhole: break;
    }
    Result<http::Url> next = terms->guard.CheckUrl(to->origin() + to->target);
    if (!next) co_return Failure(std::move(next.error()).In(url->origin() + ": redirect"));
    url = std::move(next);
  }
}

Task<Result<Guard::Endpoints>> HttpFetcher::Resolve(http::Connection& connection, http::Url url,
                                                    std::shared_ptr<const Terms> terms) {
  Guard::Endpoints found;
  if (names_) {
    found = names_(url.host);
  } else {
    Result<Guard::Endpoints> resolved = co_await connection.Resolve(url.host, url.port);
    if (!resolved) {
      resolved.error().retryable = true;
      co_return Failure(std::move(resolved.error()));
    }
    found = std::move(*resolved);
  }
  co_return terms->guard.CheckAddresses(url, std::move(found));
}

Task<Result<Response>> HttpFetcher::Exchange(const Request& request, http::Url url,
                                             Deadline deadline,
                                             std::shared_ptr<const Terms> terms) {
  const Result<std::string> head = HeadOf(request, url);
  if (!head) co_return Failure(head.error());
  const Executor executor = co_await net::this_coro::executor;
  http::Connection connection(executor, TimersOf(executor, clock_));
  connection.SetDeadline(deadline);
  connection.parser().set_body_limit(request.max_bytes == 0 ? terms->max_bytes : request.max_bytes);
  Result<Guard::Endpoints> endpoints = co_await Resolve(connection, url, terms);
  if (!endpoints) co_return Failure(std::move(endpoints.error()));
  http::TlsClient* tls = nullptr;
  if (url.tls) {
    const Result<http::TlsClient*> made = terms->Tls();
    if (!made) co_return Failure(made.error());
    tls = *made;
  }
  Result<void> connected = co_await connection.ConnectTo(std::move(*endpoints), url, tls);
  if (!connected) co_return Failure(std::move(connected.error()));

  const std::string_view pieces[] = {*head,
                                     request.method == "POST" ? request.body : std::string_view()};
  http::Gather out(pieces);
  boost::system::error_code error = connection.SendNow(out);
  if (!error && !out.done()) error = co_await connection.SendRest(out);
  if (error == net::error::operation_aborted) co_return Failure(connection.Explain(error));
  // After a failed write there may still be an answer: a refusal sent before all was read.
  while (!connection.parser().done()) {
    const std::size_t arrived = co_await connection.Arrival();
    Result<bool> received = connection.Receive(arrived);
    // An answer without a length ends with the connection.
    if (!received && !connection.parser().done()) co_return Failure(std::move(received.error()));
  }
  co_return ResponseOf(connection.parser());
}

}  // namespace switchyard::fetch
