#include "mcp/method.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace switchyard::mcp {
namespace {

constexpr std::array kMethods = {
    MethodInfo{Method::kUnknown, "", Eras::kBoth, Route::kUnknown, TargetKey::kNone, ""},
#define METHOD(constant, name, eras, route, key, capability) \
  MethodInfo{Method::constant, name, Eras::eras, Route::route, TargetKey::key, capability},
#include "mcp/methods.def"
#undef METHOD
};

}  // namespace

const MethodInfo& Info(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

const MethodInfo& FindMethod(std::string_view name) {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string_view, const MethodInfo*>;
    for (const MethodInfo& info : kMethods) map->emplace(info.name, &info);
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() || name.empty() ? kMethods[0] : *found->second;
}

}  // namespace switchyard::mcp
