#include "policies/lib/failure_data.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

#include "mcp/raw_object.h"

namespace switchyard::policies {
namespace {

std::int64_t NumberIn(const mcp::RawObject& data, std::string_view key) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // milliseconds that a Duration can hold
  const std::string_view raw = data.Get(key);
  std::int64_t number = 0;
  std::from_chars(raw.data(), raw.data() + raw.size(), number);
  return std::clamp<std::int64_t>(number, 0, kMost);
}

}  // namespace

Advice Advice::Of(const Error& error) {
  if (error.data.empty()) return {};
  const mcp::RawObject data = mcp::RawObject::Parse(error.data);
  return {.retry_after = std::chrono::milliseconds(NumberIn(data, "retryAfterMs")),
          .status = static_cast<int>(NumberIn(data, "status"))};
}

bool Advice::may_help() const { return !blames_request() && status != 501 && status != 505; }

bool Advice::blames_request() const {
  const bool clients = status >= 400 && status < 500;
  return clients && status != 408 && status != 425 && status != 429;
}

bool NothingRan(const Error& error) {
  if (error.retryable) return true;
  if (error.origin == Origin::kServer) return Advice::Of(error).blames_request();
  switch (error.code) {
    case Code::kInvalid:
    case Code::kUnauthenticated:
    case Code::kForbidden:
    case Code::kNotFound: return true;
    default: return false;  // kTooLarge may be a result, kDeadline the time of a call under way
  }
}

void AddFailureData(Error& error, unsigned attempts, bool unknown) {
  mcp::RawObject data = mcp::RawObject::Parse(error.data);
  if (!data.Has("origin")) {
    data.SetString("origin", ToString(error.origin));
    data.SetString("code", ToString(error.code));
  }
  data.Set("retryable", error.retryable ? "true" : "false");
  data.Set("attempts", std::to_string(attempts));
  if (unknown) data.SetString("outcome", "unknown");
  error.data = data.ToText();
}

}  // namespace switchyard::policies
