#include "edge/client_words.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "edge/refusals.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};

}  // namespace

std::string ClientName(std::string_view raw_info) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(raw_info, error);
  if (error || !value.is_object()) return {};
  const boost::json::value* name = value.as_object().if_contains("name");
  if (name == nullptr || !name->is_string()) return {};
  const std::string_view text = name->as_string();
  std::size_t end = std::min(text.size(), kMaxName);
  // Not within a character: session ids and log lines carry the name as JSON.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end));
}

std::string ProgressToken(const mcp::Message& request) {
  const std::string_view raw = request.Get(mcp::MetaKey::kProgressToken);
  if (raw.empty()) return {};
  const char first = raw.front();
  const bool usable = first == '"' || first == '-' || (first >= '0' && first <= '9');
  return usable ? std::string(raw) : std::string();
}

std::string ToolError(std::string_view text) {
  return R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + R"(}],"isError":true})";
}

std::optional<int> LogRank(std::string_view level) {
  const auto found = std::ranges::find(kLevels, level);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<int>(found - kLevels.begin());
}

Error UnknownLogLevel(std::string_view level) {
  std::string message = "unknown log level: " + std::string(level) + "; allowed are ";
  for (const std::string_view known : kLevels) {
    if (known != kLevels.front()) message += ", ";
    message += known;
  }
  return Invalid(mcp::kInvalidParams, std::move(message));
}

}  // namespace switchyard::edge
