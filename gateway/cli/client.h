// A modern MCP client for the subcommands. It speaks over the gateway's own HTTP transport, so TLS,
// answers as JSON and answers as a stream are those of the product. Blocks; one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/result.h"

namespace switchyard::cli {

// Of the /mcp of a gateway.
struct GatewayUrl {
  std::string text;  // checked (IsHttpUrl)
  std::string pin =
      {};  // a PEM file of its certificate, for who knows it; "" = by name and authority
  std::string token = {};  // that says who asks; "" = none
};

struct RpcError {
  int code = 0;
  std::string message;
};

// One response: a result, or the error object that came in its place.
struct Answer {
  boost::json::object result;
  std::string raw;  // the JSON of the result or of the error, as sent
  std::optional<RpcError> error;
};

class Client {
 public:
  // The params of a notification that came before the response.
  using OnNotification =
      std::function<void(std::string_view method, const boost::json::object& params)>;

  explicit Client(GatewayUrl url);
  ~Client();

  // `params` without `_meta`; with `on_notification` progress is asked for. A retryable
  // Error: no connection came about. kProtocol: what answers is no MCP server of this era.
  Result<Answer> Request(std::string_view method, boost::json::object params, Duration timeout,
                         OnNotification on_notification = {});

  const std::string& url() const { return url_.text; }

 private:
  struct Connection;
  const GatewayUrl url_;
  std::unique_ptr<Connection> connection_;
};

bool IsHttpUrl(std::string_view text);

// The text of a plain GET at the server of `url`, such as /readyz.
struct Fetched {
  int status = 0;
  std::string body;
};
Result<Fetched> Get(const GatewayUrl& url, std::string_view path, Duration timeout);
// The same with the token of the admin API ("" = none); with a body it is a POST of JSON.
struct Plain {
  std::string path;
  std::string token = {};
  std::string body = {};
};
Result<Fetched> Ask(const GatewayUrl& url, Plain plain, Duration timeout);

}  // namespace switchyard::cli
