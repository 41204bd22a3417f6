// The method table: one row a method (methods.def), one generic path for all of them.
#pragma once

#include <cstdint>
#include <string_view>

#include "mcp/version.h"

namespace switchyard::mcp {

enum class Method : std::uint8_t {
  kUnknown,  // a name that no revision knows
#define METHOD(constant, name, eras, route, key, capability) constant,
#include "mcp/methods.def"
#undef METHOD
};

enum class Eras : std::uint8_t { kBoth, kModernOnly, kLegacyOnly };

// How the gateway answers. kTool, kPrompt, kResource, kReference and kTask go to the one server
// that owns what the key names; kList and kLocal are answered here.
enum class Route : std::uint8_t {
  kUnknown,
  kLocal,
  kList,
  kTool,
  kPrompt,
  kResource,
  kReference,
  kListen,
  kTask,
  kToClient,
  kNotification,
};

enum class TargetKey : std::uint8_t { kNone, kName, kUri, kTaskId };

struct MethodInfo {
  Method method;
  std::string_view name;
  Eras eras;
  Route route;
  TargetKey key;
  std::string_view capability;

  bool SpokenIn(Version version) const {
    return eras == Eras::kBoth || (eras == Eras::kModernOnly) == IsModern(version);
  }
  // A request that goes to a server in a caller's name; the rest the gateway answers, or asks
  // itself.
  bool IsForServer() const {
    switch (route) {
      case Route::kTool:
      case Route::kPrompt:
      case Route::kResource:
      case Route::kReference:
      case Route::kTask: return true;
      default: return false;
    }
  }
};

const MethodInfo& Info(Method method);
const MethodInfo& FindMethod(std::string_view name);  // the row of kUnknown when there is none

}  // namespace switchyard::mcp
