// Header names and values, as text.
#pragma once

#include <cstdint>
#include <string_view>

namespace switchyard::http {

// Names found without a search.
enum class Field : std::uint8_t {
  kAccept,
  kAuthorization,
  kConnection,
  kContentEncoding,
  kContentLength,
  kContentType,
  kExpect,
  kHost,
  kLastEventId,
  kLocation,
  kMcpMethod,
  kMcpName,
  kMcpProtocolVersion,
  kMcpSessionId,
  kOrigin,
  kRetryAfter,
  kTraceParent,
  kTransferEncoding,
  kUserAgent,
  kCount,
};

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
// `text/event-stream; charset=utf-8` -> `text/event-stream`, as sent otherwise.
std::string_view MediaType(std::string_view content_type);

}  // namespace switchyard::http
