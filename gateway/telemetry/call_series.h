// The numbers of the calls of one (endpoint, server, tool, method) on one worker. Only the worker's
// thread writes; the thread that serialises metrics reads. So every number is a relaxed atomic that
// is loaded and stored, never read-modify-written: a call costs no lock and no bus traffic.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace switchyard::telemetry {

enum class Outcome : std::uint8_t { kOk, kToolError, kError, kCancelled };
inline constexpr std::size_t kOutcomes = 4;
std::string_view ToString(Outcome outcome);

// What goes wrong, as a closed set of words: the gateway's codes ("deadline"), then the JSON-RPC
// codes that a server may answer with ("rpc_-32602"), then "rpc_other".
class ErrorCode {
 public:
  static ErrorCode Of(Code code);
  static ErrorCode OfRpc(int rpc_code);
  static constexpr std::size_t kCount = 22;

  std::size_t index() const { return index_; }
  std::string_view word() const;

 private:
  friend class Metrics;
  explicit ErrorCode(std::size_t index) : index_(index) {}
  std::size_t index_;
};

// Upper bounds in seconds: what a hop costs (below 1 ms), what tools take, what people wait for.
inline constexpr std::array kLatencyBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                              0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                              1.0,    2.5,     5.0,    10.0,  30.0,   60.0};

class CallSeries {
 public:
  struct End {
    Outcome outcome;
    ErrorCode error;  // counts when the outcome is kError
    Duration duration;
    std::size_t bytes_in;
    std::size_t bytes_out;
  };

  void CountBegin() { Add(begun_, 1); }
  void CountEnd(const End& end);

 private:
  friend class Metrics;
  using Number = std::atomic<std::uint64_t>;

  static void Add(Number& number, std::uint64_t by) {
    number.store(number.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  Number begun_{0};
  std::array<Number, kOutcomes> ended_{};
  std::array<Number, ErrorCode::kCount> errors_{};
  std::array<Number, kLatencyBounds.size() + 1> latency_{};
  Number nanoseconds_{0};
  Number bytes_in_{0};
  Number bytes_out_{0};
};

}  // namespace switchyard::telemetry
