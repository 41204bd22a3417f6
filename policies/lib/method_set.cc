#include "policies/lib/method_set.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace switchyard::policies {

std::string MethodSet::ToText() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    if (bits_[i]) names.push_back(mcp::Info(static_cast<mcp::Method>(i)).name);
  }
  return fmt::format("[{}]", fmt::join(names, ", "));
}

bool MethodSet::IsCountable(const mcp::MethodInfo& method) {
  switch (method.route) {
    case mcp::Route::kUnknown:
    case mcp::Route::kToClient:
    case mcp::Route::kNotification: return false;
    default: return method.eras != mcp::Eras::kLegacyOnly;
  }
}

}  // namespace switchyard::policies
