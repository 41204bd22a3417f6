#include "edge/endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>

#include "base/address.h"
#include "edge/batch.h"
#include "edge/http_sink.h"
#include "edge/modern.h"
#include "edge/refusals.h"

namespace switchyard::edge {
namespace {

constexpr std::string_view kRoot = "/mcp";
constexpr std::string_view kSseRoot = "/sse";
constexpr std::string_view kNeedsJson = "Content-Type must be application/json";

// `localhost:8080` -> `localhost`, `[::1]:8080` -> `[::1]`.
std::string_view WithoutPort(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return host;
  if (bracket != std::string_view::npos && colon < bracket) return host;
  return host.substr(0, colon);
}

bool IsJson(const Exchange& exchange) {
  const std::string_view type = http::MediaType(exchange.request().Get(http::Field::kContentType));
  return http::EqualsIgnoreCase(type, kJson);
}

// The path without its query; nullopt for what is not an absolute path.
std::optional<std::string_view> PathOf(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  return target.substr(0, target.find('?'));
}

std::string_view QueryOf(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

PlainRequest PlainRequestOf(Exchange& exchange, const std::string& path) {
  static constexpr std::array kProxies = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
  const http::RequestParser& request = exchange.request();
  const bool post = request.method() == "POST";
  // Proxies that say nothing speak HTTP/1.0, as some do of themselves.
  const bool old = request.version() < 11 || !request.Has(http::Field::kHost);
  const auto has = [&exchange](const char* name) { return !exchange.Header(name).empty(); };
  return {.method = post ? "POST" : "GET",
          .path = path,
          .query = std::string(QueryOf(request.target())),
          .content_type = std::string(request.Get(http::Field::kContentType)),
          .body = post ? exchange.TakeBody() : "",
          .cookie = std::string(exchange.Header("cookie")),
          .authorization = std::string(request.Get(http::Field::kAuthorization)),
          .from_page = request.Has(http::Field::kOrigin),
          .forwarded = old || std::ranges::any_of(kProxies, has)};
}

// Under "/mcp": "/mcp" -> "", "/mcp/x" -> "x".
std::optional<std::string_view> EndpointOf(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (path.empty() || path == "/") return "";
  if (path.front() != '/' || path.find('/', 1) != std::string_view::npos) return std::nullopt;
  return path.substr(1);
}

}  // namespace

std::string Endpoint::PathTo(std::string_view name, bool sse) {
  std::string path(sse ? kSseRoot : kRoot);
  if (!name.empty()) path.append("/").append(name);
  return path;
}

Endpoint::Endpoint(Access access, FindEndpoint find, PlainHandler plain, Sessions& sessions,
                   FindGate find_gate, audit::Sink* audit, LentTokens* lent)
    : access_(std::move(access)),
      find_(std::move(find)),
      plain_(std::move(plain)),
      sessions_(sessions),
      legacy_(sessions, find_),
      sse_(sessions),
      find_gate_(std::move(find_gate)),
      lent_(lent),
      refused_callers_(audit, sessions.clock()) {}

bool Endpoint::IsAllowedHost(std::string_view host) const {
  return std::ranges::any_of(access_.allowed_hosts, [host](const std::string& allowed) {
    return http::EqualsIgnoreCase(allowed, host) ||
           http::EqualsIgnoreCase(allowed, WithoutPort(host));
  });
}

bool Endpoint::HostAllowed(const Exchange& exchange) const {
  // Only clients of HTTP/1.0 may leave Host out; no browser does, and it is browsers that are
  // lured.
  if (!exchange.request().Has(http::Field::kHost)) return true;
  const std::string_view host = exchange.request().Get(http::Field::kHost);
  if (IsAllowedHost(host)) return true;
  // Programs of this machine call a listener there by its address, whatever the clients of a proxy
  // in front of it call that.
  if (access_.loopback) return IsLoopbackHost(WithoutPort(host));
  return access_.allowed_hosts.empty();
}

bool Endpoint::OriginAllowed(const Exchange& exchange) const {
  const std::string_view origin = exchange.request().Get(http::Field::kOrigin);
  if (origin.empty()) return true;
  for (const std::string& allowed : access_.allowed_origins) {
    if (allowed == "*" || http::EqualsIgnoreCase(allowed, origin)) return true;
  }
  // Its own origin: said by Host, which a rebound name controls unless Host itself was checked.
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || scheme + 3 == origin.size()) return false;
  if (!access_.loopback && access_.allowed_hosts.empty()) return false;
  const std::string_view host = exchange.request().Get(http::Field::kHost);
  // A proxy may say a loopback name for whatever it was asked by: such a Host proves nothing where
  // others are set, and the page may be one of the user's own machine.
  if (!access_.allowed_hosts.empty() && !IsAllowedHost(host)) return false;
  return http::EqualsIgnoreCase(origin.substr(scheme + 3), host);
}

Misled Endpoint::MisledBy(const Exchange& exchange) const {
  if (!HostAllowed(exchange)) return Misled::kHost;
  return OriginAllowed(exchange) ? Misled::kNo : Misled::kOrigin;
}

Task<void> Endpoint::RefuseMisled(Exchange& exchange, Misled misled) {
  const http::Field header = misled == Misled::kHost ? http::Field::kHost : http::Field::kOrigin;
  misled_log_.Note(misled, exchange.request().Get(header), sessions_.clock().Now());
  return Refuse(exchange, 403, WhyMisled(misled));
}

void Endpoint::TellOrigin(Exchange& exchange) {
  const std::string_view origin = exchange.request().Get(http::Field::kOrigin);
  if (origin.empty()) return;
  exchange.AddHeader("Access-Control-Allow-Origin", origin);
  exchange.AddHeader("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate");
  exchange.AddHeader("Vary", "Origin");
}

// Only chooses, like those it calls on the way: a frame here would be one more for every call and
// for as long as a stream is open.
Task<void> Endpoint::Serve(Exchange& exchange, Connection& connection) {
  const http::RequestParser& request = exchange.request();
  const std::optional<std::string_view> path = PathOf(request.target());
  if (!path) return Refuse(exchange, 400, "the request target must be a path");
  if (exchange.trust() != access_.trust) {
    exchange.CloseAfter();
    return Refuse(exchange, 421,
                  "who is let in has changed since this connection began: open another");
  }
  if (const Misled misled = MisledBy(exchange); misled != Misled::kNo) {
    return RefuseMisled(exchange, misled);
  }
  TellOrigin(exchange);
  std::optional<Asked> asked = AskedBy(*path);
  if (!asked) return ServePlain(exchange, std::string(*path));
  asked->service = find_(asked->name);
  if (asked->service == nullptr) {
    return Refuse(exchange, 404, "no such endpoint: " + std::string(*path));
  }
  // Browsers ask without credentials whether they may send some.
  if (!access_.gated || request.method() == "OPTIONS") {
    return ServeAsked(exchange, connection, std::move(*asked));
  }
  std::shared_ptr<auth::Gate> gate = find_gate_(asked->name);
  return gate == nullptr ? ServeAsked(exchange, connection, std::move(*asked))
                         : Admit(exchange, connection, std::move(*asked), std::move(gate));
}

std::optional<Endpoint::Asked> Endpoint::AskedBy(std::string_view path) const {
  std::optional<std::string_view> name = EndpointOf(path, kRoot);
  const bool sse = !name && access_.legacy_sse;
  if (sse) name = EndpointOf(path, kSseRoot);
  if (!name) return std::nullopt;
  return Asked{.name = std::string(*name), .sse = sse};
}

Task<void> Endpoint::ServeAsked(Exchange& exchange, Connection& connection, Asked asked) {
  exchange.SetChallenger(*this);
  return asked.sse
             ? ServeSse(exchange, std::move(asked.name), std::move(asked.service))
             : ServeMcp(exchange, connection, std::move(asked.name), std::move(asked.service));
}

Task<void> Endpoint::ServePlain(Exchange& exchange, std::string path) {
  if (const std::string_view resource = auth::ResourcePathOf(path);
      access_.gated && !resource.empty()) {
    const std::optional<Asked> asked = AskedBy(resource);
    std::shared_ptr<auth::Gate> gate = asked ? find_gate_(asked->name) : nullptr;
    if (gate != nullptr && gate->authenticator().resource().published()) {
      co_await ServeMetadata(exchange, PathTo(asked->name, asked->sse), std::move(gate));
      co_return;
    }
  }
  std::optional<PlainAnswer> answer;
  const std::string_view method = exchange.request().method();
  if (method == "GET" || method == "HEAD" || method == "POST") {
    answer = co_await plain_(PlainRequestOf(exchange, path));
  }
  if (!answer) {
    const Error error =
        BadRequest("nothing at " + path + "; the MCP endpoint is " + std::string(kRoot));
    co_await RespondError(exchange, 404, "", error);
    co_return;
  }
  for (const auto& [name, value] : answer->headers) exchange.AddHeader(name, value);
  co_await exchange.Respond(answer->status, answer->content_type, answer->body);
}

Task<void> Endpoint::Refuse(Exchange& exchange, int status, std::string why) {
  const Error error = BadRequest(std::move(why));
  co_await RespondError(exchange, status, "", error);
}

Task<void> Endpoint::ServeMcp(Exchange& exchange, Connection& connection, std::string name,
                              std::shared_ptr<Service> service) {
  const std::string_view method = exchange.request().method();
  if (method == "POST") {
    return ServePost(exchange, connection, std::move(name), std::move(service));
  }
  if (method == "OPTIONS") return Preflight(exchange);
  // Without a legacy session GET and DELETE do not exist (SH).
  const bool session = exchange.request().Has(http::Field::kMcpSessionId);
  if (session && method == "GET") return legacy_.Get(exchange, connection, std::move(name));
  if (session && method == "DELETE") return legacy_.Delete(exchange, std::move(name));
  // Clients of 2024-11-05 may know this URL only.
  if (method == "GET" && access_.legacy_sse) {
    return ServeSse(exchange, std::move(name), std::move(service));
  }
  exchange.AddHeader("Allow", "POST");
  return Refuse(exchange, 405, "use POST; GET and DELETE need an Mcp-Session-Id");
}

Task<void> Endpoint::ServeSse(Exchange& exchange, std::string name,
                              std::shared_ptr<Service> service) {
  const std::string_view method = exchange.request().method();
  if (method == "GET") {
    std::string path = std::string(kSseRoot) + (name.empty() ? "" : "/") + name;
    return sse_.Get(exchange, std::move(path), std::move(name), std::move(service));
  }
  if (method == "POST") {
    return IsJson(exchange) ? sse_.Post(exchange, std::move(name))
                            : Refuse(exchange, 415, std::string(kNeedsJson));
  }
  if (method == "OPTIONS") return Preflight(exchange);
  exchange.AddHeader("Allow", "GET, POST");
  return Refuse(exchange, 405, "use GET for a stream, POST for messages");
}

Task<void> Endpoint::ServePost(Exchange& exchange, Connection& connection, std::string name,
                               std::shared_ptr<Service> service) {
  if (!IsJson(exchange)) {
    co_await RespondError(exchange, 415, "", BadRequest(std::string(kNeedsJson)));
    co_return;
  }
  std::string body = exchange.TakeBody();
  if (IsBatch(body) && exchange.request().Has(http::Field::kMcpSessionId)) {
    co_await legacy_.PostBatch(exchange, connection, std::move(body), std::move(name),
                               std::move(service));
    co_return;
  }
  std::string raw_id;
  Result<mcp::Message> message = mcp::Message::Parse(std::move(body), mcp::Check::kFull, &raw_id);
  if (!message) {
    co_await RespondError(exchange, 400, raw_id, message.error());
    co_return;
  }
  const std::string_view version = exchange.request().Get(http::Field::kMcpProtocolVersion);
  if (IsModernRequest(*message, version)) {
    co_await ServeModern(exchange, std::move(*message), name, *service, sessions_);
  } else {
    co_await legacy_.Post(exchange, connection, std::move(*message), name, *service);
  }
}

// Browsers ask before they send our headers; the origin was checked already.
Task<void> Endpoint::Preflight(Exchange& exchange) {
  exchange.AddHeader("Access-Control-Allow-Methods", "POST, GET, DELETE");
  const std::string_view asked = exchange.Header("access-control-request-headers");
  exchange.AddHeader("Access-Control-Allow-Headers",
                     asked.empty() ? "Authorization, Content-Type, MCP-Protocol-Version, "
                                     "Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID"
                                   : asked);
  exchange.AddHeader("Access-Control-Max-Age", "600");
  co_await exchange.Respond(204);
}

}  // namespace switchyard::edge
