// What the configuration reader knows of a policy: its key, how its settings are read, and where
// they may stand. Values.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace switchyard::config {

class Section;

// Where a policy stands: once per client message, as it came or as what exists for its caller
// (core/sight.h), or once per attempt at one server.
enum class Stage : std::uint8_t { kWatch, kCall, kServer };

// Who may say something of policies; the later one is nearer to a call and wins, key by key.
enum class Level : std::uint8_t { kGlobal, kEndpoint, kServer, kTool };
std::string_view ToString(Level level);  // global, endpoint, server, tool

// Makes one policy's settings of its mapping. `inherited` is what the levels farther from the call
// gave, or null; a parser starts from a copy of it, so that a level only says what differs.
// Problems go into the Section; null means "had problems". Pure: the same mapping is read once for
// each combination of levels, also later than the file was.
using PolicyParser = std::function<std::shared_ptr<const void>(Section, const void* inherited)>;

// What a key of one policy needs of another one for the same calls.
struct Need {
  std::string key = {};  // that may be good for nothing without it; "" = none
  std::function<bool(const void* own)> exists = nullptr;  // by the settings of the level alone
  std::string other = {};
  std::function<bool(const void* others)> is_met = nullptr;  // null settings: nothing is said
  std::string message = {};                                  // where it is met for no call
};

struct PolicyKey {
  std::string name;
  PolicyParser parse;
  Stage stage = Stage::kCall;
  // Levels at which it would do nothing, with the reason, to follow "does nothing here: ".
  std::map<Level, std::string> not_at = {};
  Need needs = {};
};

}  // namespace switchyard::config
