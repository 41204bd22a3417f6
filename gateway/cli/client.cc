#include "cli/client.h"

#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/http/connection.h"
#include "base/http/url.h"
#include "base/timers.h"
#include "config/config.h"
#include "core/deps.h"
#include "downstream/transports.h"
#include "mcp/header_value.h"
#include "mcp/message.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kMetaPrefix = "io.modelcontextprotocol/";
constexpr Duration kConnectTimeout = std::chrono::seconds(5);

// An event loop that runs as long as somebody waits for one task.
struct Loop {
  net::io_context context{1};
  Timers timers{context, Clock::Real()};
  Deps deps{.context = context, .timers = timers, .clock = Clock::Real()};

  template <class T>
  T Wait(Task<T> task) {
    std::optional<T> result;
    Spawn(deps.executor(), "cli", Store(std::move(task), result));
    context.restart();
    while (!result && context.run_one() > 0) {
    }
    if (!result) result = T(Failure(Code::kInternal, Origin::kGateway, "the task gave no result"));
    return std::move(*result);
  }

 private:
  template <class T>
  static Task<void> Store(Task<T> task, std::optional<T>& into) {
    T value = co_await std::move(task);
    into = std::move(value);
  }
};

json::object ParseObject(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object();
}

json::object MetaOf(bool wants_progress) {
  json::object meta;
  const auto key = [](std::string_view name) { return std::string(kMetaPrefix).append(name); };
  meta[key("protocolVersion")] = mcp::ToString(mcp::kModern);
  meta[key("clientCapabilities")] = json::object();
  meta[key("clientInfo")] =
      json::object{{"name", "switchyard-cli"}, {"version", SWITCHYARD_VERSION}};
  if (wants_progress) meta["progressToken"] = 1;
  return meta;
}

std::string HeadersOf(std::string_view method, const json::object& params) {
  std::string headers = "MCP-Protocol-Version: ";
  headers.append(mcp::ToString(mcp::kModern)).append("\r\nMcp-Method: ").append(method);
  headers.append("\r\n");
  for (const char* key : {"name", "uri"}) {
    const json::value* target = params.if_contains(key);
    if (target == nullptr || !target->is_string()) continue;
    headers.append("Mcp-Name: ").append(mcp::EncodeHeaderValue(target->as_string())).append("\r\n");
    break;
  }
  return headers;
}

Answer ToAnswer(const mcp::Message& response) {
  Answer answer;
  if (response.kind() == mcp::Kind::kResult) {
    answer.raw = std::string(response.result());
    answer.result = ParseObject(answer.raw);
    return answer;
  }
  answer.raw = std::string(response.error());
  const json::object error = ParseObject(answer.raw);
  const json::value* message = error.if_contains("message");
  answer.error = RpcError{.code = response.error_code(), .message = {}};
  if (message != nullptr && message->is_string()) {
    answer.error->message = std::string(message->as_string());
  }
  return answer;
}

std::string TextOf(const Plain& plain, const std::string& authority) {
  std::string text = plain.body.empty() ? "GET " : "POST ";
  text.append(plain.path).append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\n");
  text.append("Accept: */*\r\nConnection: close\r\n");
  if (!plain.token.empty()) {
    text.append("Authorization: Bearer ").append(plain.token).append("\r\n");
  }
  if (!plain.body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(plain.body.size())).append("\r\n");
  }
  return text.append("\r\n").append(plain.body);
}

Task<Result<Fetched>> Fetch(Deps deps, http::Url url, std::string pin, Plain plain,
                            Deadline deadline) {
  std::unique_ptr<http::TlsClient> tls;
  if (url.tls) {
    Result<std::unique_ptr<http::TlsClient>> made = http::TlsClient::Make({.pin = pin});
    if (!made) co_return Failure(std::move(made.error()));
    tls = std::move(*made);
  }
  http::Connection connection(deps.executor(), deps.timers);
  connection.SetDeadline(deadline);
  Result<void> connected = co_await connection.Connect(url, tls.get());
  if (!connected) co_return Failure(std::move(connected.error()));
  const std::string request = TextOf(plain, url.authority);
  const std::string_view piece = request;
  http::Gather out(std::span(&piece, 1));
  const boost::system::error_code error = co_await connection.SendRest(out);
  if (error) co_return Failure(connection.Explain(error));
  while (!connection.parser().done()) {
    const std::size_t arrived = co_await connection.Arrival();
    Result<bool> received = connection.Receive(arrived);
    if (!received) co_return Failure(std::move(received.error()));
  }
  co_return Fetched{.status = connection.parser().status(), .body = connection.parser().TakeBody()};
}

}  // namespace

struct Client::Connection {
  Loop loop;
  std::unique_ptr<downstream::Transport> transport;

  explicit Connection(const GatewayUrl& url) {
    config::Server server;
    server.name = "gateway";
    server.url = config::Secret(url.text, url.text);
    server.tls_pin = url.pin;
    if (!url.token.empty()) {
      server.headers.emplace("Authorization", config::Secret("Bearer " + url.token));
    }
    transport = downstream::MakeTransport(server, loop.deps, downstream::Surroundings{});
  }

  Task<Result<Answer>> Request(std::string body, std::string headers, Deadline deadline,
                               OnNotification on_notification) {
    Result<void> started = co_await transport->Start();
    if (!started) co_return Failure(std::move(started.error()));
    mcp::Pieces pieces;
    pieces.push_back(body);
    const downstream::Outgoing out{.body = pieces,
                                   .id = "1",
                                   .headers = headers,
                                   .deadline = deadline,
                                   .facts = nullptr,
                                   .resumable = false};
    Result<ReplyPtr> reply = co_await transport->Request(out);
    if (!reply) co_return Failure(std::move(reply.error()));
    for (;;) {
      Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
      if (!next) co_return Failure(std::move(next.error()));
      if (!next->has_value()) {
        co_return Failure(Code::kProtocol, Origin::kServer, "the answer ended without a response");
      }
      const mcp::Message& message = **next;
      if (message.is_response()) co_return ToAnswer(message);
      if (on_notification) on_notification(message.method_name(), ParseObject(message.params()));
    }
  }

  Task<Result<void>> Close() {
    co_await transport->Close();
    co_return Result<void>();
  }
};

Client::Client(GatewayUrl url)
    : url_(std::move(url)), connection_(std::make_unique<Connection>(url_)) {}

Client::~Client() { static_cast<void>(connection_->loop.Wait(connection_->Close())); }

Result<Answer> Client::Request(std::string_view method, json::object params, Duration timeout,
                               OnNotification on_notification) {
  const std::string headers = HeadersOf(method, params);
  params["_meta"] = MetaOf(on_notification != nullptr);
  const mcp::Message message = mcp::Message::Make("1", method, json::serialize(params));
  return connection_->loop.Wait(connection_->Request(
      message.ToText(), headers, Deadline::In(Clock::Real(), timeout), std::move(on_notification)));
}

bool IsHttpUrl(std::string_view text) { return http::Url::Parse(text).has_value(); }

Result<Fetched> Get(const GatewayUrl& url, std::string_view path, Duration timeout) {
  return Ask(url, {.path = std::string(path)}, timeout);
}

Result<Fetched> Ask(const GatewayUrl& url, Plain plain, Duration timeout) {
  std::optional<http::Url> parsed = http::Url::Parse(url.text);
  if (!parsed) {
    return Failure(Code::kInvalid, Origin::kClient, "not an http or https URL: " + url.text);
  }
  Loop loop;
  return loop.Wait(Fetch(loop.deps, std::move(*parsed), url.pin, std::move(plain),
                         Deadline::In(Clock::Real(), std::min(timeout, kConnectTimeout))));
}

}  // namespace switchyard::cli
