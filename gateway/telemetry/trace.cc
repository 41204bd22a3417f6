#include "telemetry/trace.h"

#include "base/random.h"

namespace switchyard::telemetry {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Lower-case only, as the specification wants it.
template <class T>
bool ReadHex(std::string_view text, T& value) {
  value = 0;
  for (const char c : text) {
    const std::size_t digit = kHex.find(c);
    if (digit == std::string_view::npos) return false;
    value = static_cast<T>(value << 4 | digit);
  }
  return true;
}

void WriteHex(std::uint64_t value, char* out) {
  for (int i = 15; i >= 0; --i, value >>= 4) out[i] = kHex[value & 15];
}

std::uint64_t NonZero() {
  std::uint64_t value = 0;
  while (value == 0) value = ThreadRandom().Next();
  return value;
}

}  // namespace

std::optional<TraceContext> TraceContext::Parse(std::string_view text) {
  TraceContext context;
  std::uint8_t version = 0;
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const bool ok =
      ReadHex(text.substr(0, 2), version) && ReadHex(text.substr(3, 16), context.trace_high_) &&
      ReadHex(text.substr(19, 16), context.trace_low_) &&
      ReadHex(text.substr(36, 16), context.span_) && ReadHex(text.substr(53, 2), context.flags_);
  if (!ok || version == 0xFF) return std::nullopt;
  if (text.size() > 55 && (version == 0 || text[55] != '-')) return std::nullopt;
  if ((context.trace_high_ | context.trace_low_) == 0 || context.span_ == 0) return std::nullopt;
  context.flags_ &= 1;  // the only flag of version 00
  return context;
}

TraceContext TraceContext::NewRoot() {
  TraceContext context;
  context.trace_high_ = ThreadRandom().Next();
  context.trace_low_ = NonZero();
  context.span_ = NonZero();
  return context;
}

TraceContext TraceContext::Child() const {
  TraceContext child = *this;
  child.span_ = NonZero();
  return child;
}

std::string TraceContext::ToHeader() const {
  std::string header(55, '-');
  header[0] = header[1] = '0';
  WriteHex(trace_high_, header.data() + 3);
  WriteHex(trace_low_, header.data() + 19);
  WriteHex(span_, header.data() + 36);
  header[53] = '0';
  header[54] = sampled() ? '1' : '0';
  return header;
}

std::array<char, 32> TraceContext::trace_id() const {
  std::array<char, 32> id;
  WriteHex(trace_high_, id.data());
  WriteHex(trace_low_, id.data() + 16);
  return id;
}

}  // namespace switchyard::telemetry
