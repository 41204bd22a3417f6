#include "telemetry/call_series.h"

#include <algorithm>

namespace switchyard::telemetry {
namespace {

constexpr std::size_t kGatewayCodes = static_cast<std::size_t>(Code::kInternal) + 1;
constexpr std::array kRpcCodes = {-32700, -32600, -32601, -32602, -32603,
                                  -32002, -32042, -32020, -32021, -32022};
constexpr std::array<std::string_view, kRpcCodes.size() + 1> kRpcWords = {
    "rpc_-32700", "rpc_-32600", "rpc_-32601", "rpc_-32602", "rpc_-32603", "rpc_-32002",
    "rpc_-32042", "rpc_-32020", "rpc_-32021", "rpc_-32022", "rpc_other"};
static_assert(ErrorCode::kCount == kGatewayCodes + kRpcWords.size());

}  // namespace

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kToolError: return "tool_error";
    case Outcome::kError: return "error";
    case Outcome::kCancelled: return "cancelled";
  }
  return "error";
}

ErrorCode ErrorCode::Of(Code code) { return ErrorCode(static_cast<std::size_t>(code)); }

ErrorCode ErrorCode::OfRpc(int rpc_code) {
  const auto found = std::ranges::find(kRpcCodes, rpc_code);
  return ErrorCode(kGatewayCodes + static_cast<std::size_t>(found - kRpcCodes.begin()));
}

std::string_view ErrorCode::word() const {
  if (index_ < kGatewayCodes) return switchyard::ToString(static_cast<Code>(index_));
  return kRpcWords[index_ - kGatewayCodes];
}

void CallSeries::CountEnd(const End& end) {
  Add(ended_[static_cast<std::size_t>(end.outcome)], 1);
  if (end.outcome == Outcome::kError) Add(errors_[end.error.index()], 1);
  const double seconds = std::chrono::duration<double>(end.duration).count();
  const auto bound = std::ranges::lower_bound(kLatencyBounds, seconds);
  Add(latency_[static_cast<std::size_t>(bound - kLatencyBounds.begin())], 1);
  Add(nanoseconds_, static_cast<std::uint64_t>(std::max<Duration::rep>(end.duration.count(), 0)));
  Add(bytes_in_, end.bytes_in);
  Add(bytes_out_, end.bytes_out);
}

}  // namespace switchyard::telemetry
