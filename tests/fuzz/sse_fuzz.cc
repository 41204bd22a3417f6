// SseParser on any bytes, against the standard's algorithm written down line by line:
// - the events are the same, in whatever pieces the bytes arrive;
// - no event is larger than the cap.
// The first byte of the input says how large the pieces are.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/sse_parser.h"

namespace {

using switchyard::mcp::SseEvent;
using switchyard::mcp::SseParser;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Seen {
  std::string type, data;
  bool operator==(const Seen&) const = default;
};

std::vector<std::string> Lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n' && text[i] != '\r') {
      line += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    lines.push_back(line);
    line.clear();
  }
  return lines;
}

std::vector<Seen> Expected(std::string_view text, std::string& last_id) {
  std::vector<Seen> events;
  std::string type, data;
  for (const std::string& line : Lines(text)) {
    if (line.empty()) {
      if (!data.empty()) {
        data.pop_back();
        events.push_back({type, data});
      }
      type.clear();
      data.clear();
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "event") type = value;
    if (field == "data") data += value + "\n";
    if (field == "id" && value.find('\0') == std::string::npos) last_id = value;
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0 || size > SseParser::kMaxFieldBytes) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  std::string last_id;
  const std::vector<Seen> expected = Expected(stream, last_id);
  for (const std::size_t step : {std::size_t{bytes[0]} + 1, stream.size() + 1}) {
    SseParser parser;
    SseParser small(/*max_event_bytes=*/16);
    std::vector<Seen> events;
    for (std::string_view rest = stream; !rest.empty();) {
      Require(parser.Feed(rest.substr(0, step)).has_value(), "small input is not too large");
      static_cast<void>(small.Feed(rest.substr(0, step)));
      rest.remove_prefix(std::min(step, rest.size()));
      while (auto event = parser.Next()) events.push_back({event->event, event->data});
      while (auto event = small.Next()) Require(event->data.size() <= 16, "the cap holds");
    }
    Require(events == expected, "the events are those of the standard");
    Require(parser.last_event_id() == last_id, "the last id is that of the standard");
  }
  return 0;
}
