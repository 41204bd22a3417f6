// W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00: which trace a call belongs
// to and how its next hop is told. Pure values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::telemetry {

class TraceContext {
 public:
  // A `traceparent`. nullopt: malformed, or one of the forbidden all-zero ids; then a receiver
  // starts a trace of its own. A newer version is read as far as we know it.
  static std::optional<TraceContext> Parse(std::string_view traceparent);
  static TraceContext NewRoot();

  // The same trace, a new span: what goes to the next hop.
  TraceContext Child() const;

  std::string ToHeader() const;           // 00-<trace id>-<span id>-<flags>
  std::array<char, 32> trace_id() const;  // lower-case hex
  bool sampled() const { return (flags_ & 1) != 0; }

 private:
  std::uint64_t trace_high_ = 0, trace_low_ = 0, span_ = 0;
  std::uint8_t flags_ = 0;
};

}  // namespace switchyard::telemetry
