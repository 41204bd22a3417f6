#include "downstream/http_answer.h"

#include <algorithm>
#include <utility>

#include "base/http/status.h"

namespace switchyard::downstream {
namespace {

constexpr std::size_t kShownBody = 256;

std::string_view SkipBlanks(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  return begin == body.npos ? std::string_view() : body.substr(begin);
}

Code CodeOf(int status) {
  switch (status) {
    case 401:
    case 403: return Code::kUnavailable;  // our credentials, not the client's
    case 404:
    case 405: return Code::kNotFound;
    case 429: return Code::kRateLimited;
    default: return status < 500 ? Code::kProtocol : Code::kUnavailable;
  }
}

Error BadAnswer(std::string message, std::string_view body) {
  return Error{.code = Code::kProtocol,
               .origin = Origin::kServer,
               .message = std::move(message),
               .detail = std::string(body.substr(0, kShownBody))};
}

}  // namespace

bool IsEventStream(const http::Parser& parser) {
  if (http::EqualsIgnoreCase(http::MediaType(parser.Get(http::Field::kContentType)),
                             kEventStream)) {
    return true;
  }
  // No JSON begins like this.
  const std::string_view body = parser.body();
  return body.starts_with("event:") || body.starts_with("data:") || body.starts_with("id:") ||
         body.starts_with("retry:") || body.starts_with(':');
}

bool LooksLikeJson(std::string_view body) { return SkipBlanks(body).starts_with('{'); }

Error StatusError(int status, std::string_view body) {
  return Error{.code = CodeOf(status),
               .origin = Origin::kServer,
               .message = std::to_string(status) + " " + std::string(http::StatusText(status)),
               .detail = std::string(body.substr(0, kShownBody))};
}

Result<bool> Settle(mcp::Message& message, std::string_view id) {
  if (!message.is_response()) return false;
  if (message.id() == id) return true;
  if (message.id().empty() && message.kind() == mcp::Kind::kError) {
    message.SetId(std::string(id));
    return true;
  }
  return Failure(BadAnswer("answer to a request that was not sent", message.bytes()));
}

Result<mcp::Message> ReadAnswer(int status, std::string body, std::string_view id) {
  if (SkipBlanks(body).empty()) {
    if (status >= 400) return Failure(StatusError(status, body));
    return Failure(BadAnswer(std::to_string(status) + " without an answer", body));
  }
  char start[kShownBody];  // Parse() takes the body along even when it fails
  const std::string_view shown(start, body.copy(start, kShownBody));
  Result<mcp::Message> message = mcp::Message::Parse(std::move(body), mcp::Check::kEnvelope);
  if (!message) {
    if (status >= 400) return Failure(StatusError(status, shown));
    return Failure(BadAnswer("answer is not JSON-RPC: " + message.error().message, shown));
  }
  Result<bool> settled = Settle(*message, id);
  if (settled && *settled) return message;
  if (status >= 400) return Failure(StatusError(status, shown));
  if (!settled) return Failure(std::move(settled.error()));
  return Failure(BadAnswer("answer is not a response", shown));
}

}  // namespace switchyard::downstream
