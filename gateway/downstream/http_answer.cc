#include "downstream/http_answer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/http/status.h"
#include "downstream/bad_answer.h"

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

std::optional<std::chrono::milliseconds> ParseRetryAfter(
    std::string_view text, std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  constexpr std::int64_t kMost = 365 * 24 * 3600;  // longer is as good as for ever
  std::int64_t seconds_given = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds_given);
  if (!text.empty() && end == text.data() + text.size()) {
    if (error == std::errc::result_out_of_range) seconds_given = kMost;
    return seconds(std::clamp<std::int64_t>(seconds_given, 0, kMost));
  }
  // RFC 9110 5.6.7: what is sent today is always of this form.
  std::tm date{};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const auto then = system_clock::from_time_t(::timegm(&date));
  return std::clamp<milliseconds>(ceil<milliseconds>(then - now), milliseconds(0), seconds(kMost));
}

void NoteStatus(Error& error, int status, std::string_view retry_after,
                std::chrono::system_clock::time_point now) {
  error.retryable = status == 429;
  error.data = R"({"origin":")";
  error.data.append(ToString(error.origin)).append(R"(","code":")").append(ToString(error.code));
  error.data.append(R"(","retryable":)").append(error.retryable ? "true" : "false");
  error.data.append(R"(,"status":)").append(std::to_string(status));
  if (const auto wait = ParseRetryAfter(retry_after, now)) {
    error.data.append(R"(,"retryAfterMs":)").append(std::to_string(wait->count()));
  }
  error.data.append("}");
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
    return Failure(NotJsonRpc(message.error(), shown));
  }
  Result<bool> settled = Settle(*message, id);
  if (settled && *settled) return message;
  if (status >= 400) return Failure(StatusError(status, shown));
  if (!settled) return Failure(std::move(settled.error()));
  return Failure(BadAnswer("answer is not a response", shown));
}

}  // namespace switchyard::downstream
