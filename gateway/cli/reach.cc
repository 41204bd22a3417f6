#include "cli/reach.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "cli/find_config.h"
#include "server.h"
#include "telemetry/log.h"

namespace switchyard::cli {
namespace {

// The address is this machine's, so the answer is immediate.
bool Listens(const config::Listen& listen) {
  if (listen.port == 0) return false;
  boost::system::error_code error;
  std::string host = listen.host == "localhost" ? "127.0.0.1" : listen.host;
  boost::asio::ip::address address = boost::asio::ip::make_address(host, error);
  if (error) return false;
  if (address.is_unspecified()) {
    address = address.is_v4() ? boost::asio::ip::address(boost::asio::ip::address_v4::loopback())
                              : boost::asio::ip::address(boost::asio::ip::address_v6::loopback());
  }
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({address, listen.port}, error);
  return !error;
}

// Who can read the configuration may see all of it; a token is for trying what its owner may.
void OpenForOwn(config::Config& config) {
  config.auth.reset();
  for (auto& [name, endpoint] : config.endpoints) endpoint.auth.reset();
}

std::expected<Reached, Unreached> StartOwn(config::Loaded loaded, const std::string& token) {
  config::Config& config = loaded.config;
  if (token.empty()) OpenForOwn(config);
  config::Listen own{.port = 0};
  own.public_url = std::move(config.listen.public_url);  // tokens are for it
  config.listen = std::move(own);
  config.log.calls = false;
  auto log = std::make_unique<telemetry::Log>("error", telemetry::LogFormat::kText);
  auto server = std::make_unique<Server>(Server::Options{.config = config, .workers = 1});
  Result<void> started = server->Start();
  if (!started) {
    return std::unexpected(
        Unreached{kFailed, "cannot start: " + loaded.expanded->Hide(started.error().message)});
  }
  std::string url = UrlOf(config.listen, server->port());
  return Reached({.text = std::move(url), .token = token},
                 {.log = std::move(log), .server = std::move(server)}, std::move(config));
}

// This machine's own configuration names the certificate, whatever name it is for.
GatewayUrl WhereItListens(const config::Listen& listen, const std::string& token) {
  return {.text = UrlOf(listen, listen.port),
          .pin = listen.tls ? listen.tls->certificate : "",
          .token = token};
}

Unreached BadUrl(const std::string& url) {
  return {kUsage,
          "--url must be an http or https URL such as http://127.0.0.1:8080/mcp, got " + url};
}

Unreached BadConfig(const std::string& path) { return {kFailed, path + " cannot be used"}; }

// Without whose word it is and what was asked, which whoever types a command did not ask for.
std::string WithoutContext(const std::string& message) {
  const std::size_t at = message.find("connect: ");
  return at == std::string::npos ? message : message.substr(at);
}

}  // namespace

Reached::Reached(GatewayUrl url, Own own, config::Config config)
    : own_(std::move(own)),
      config_(std::move(config)),
      client_(std::make_unique<Client>(std::move(url))) {}

Reached::Reached(Reached&&) noexcept = default;
Reached::~Reached() = default;

bool Reached::WaitForServers(std::chrono::nanoseconds patience) {
  return own_.server == nullptr || own_.server->WaitUntilSettled(patience);
}

std::expected<Reached, Unreached> Reach(const Where& where, std::ostream& err) {
  if (!where.url.empty()) {
    if (!IsHttpUrl(where.url)) return std::unexpected(BadUrl(where.url));
    return Reached({.text = where.url, .token = where.token}, {}, {});
  }
  const std::optional<std::string> path = FindConfig(where.config);
  if (!path) {
    const config::Listen fallback;
    return Reached(WhereItListens(fallback, where.token), {}, {});
  }
  std::optional<config::Loaded> loaded = LoadWhole(*path, err);
  if (!loaded) return std::unexpected(BadConfig(*path));
  if (!Listens(loaded->config.listen)) return StartOwn(std::move(*loaded), where.token);
  GatewayUrl url = WhereItListens(loaded->config.listen, where.token);
  return Reached(std::move(url), {}, std::move(loaded->config));
}

std::expected<GatewayUrl, Unreached> UrlOfRunning(const Where& where, std::ostream& err,
                                                  std::string* admin_token) {
  if (!where.url.empty()) {
    if (!IsHttpUrl(where.url)) return std::unexpected(BadUrl(where.url));
    return GatewayUrl{.text = where.url, .token = where.token};
  }
  config::Listen listen;
  if (const std::optional<std::string> path = FindConfig(where.config)) {
    std::optional<config::Config> config = LoadConfig(*path, err);
    if (!config) return std::unexpected(BadConfig(*path));
    listen = config->listen;
    if (admin_token != nullptr) *admin_token = config->admin.token.Reveal();
  }
  return WhereItListens(listen, where.token);
}

Unreached Explain(const Error& error, const std::string& url) {
  if (error.retryable) {  // no connection came about
    return {kUnreachable,
            "no gateway at " + url + ": " + WithoutContext(error.message) +
                "\nstart one with `switchyard serve --config FILE`, name another "
                "with --url URL,\nor use a configuration directly with --config FILE"};
  }
  std::string message = url + ": " + error.message;
  if (error.message.contains("certificate required")) {
    message +=
        "\nit lets in only clients that have a certificate; ask it with `curl --cert`, or set "
        "listen.tls.client_certificate to optional";
  }
  if (error.code == Code::kDeadline) message += "; wait longer with --timeout, for example 5m";
  if (error.code == Code::kProtocol || error.code == Code::kNotFound) {
    message += "\nis that the /mcp URL of a gateway?";
  }
  return {kFailed, std::move(message)};
}

}  // namespace switchyard::cli
