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

struct PolicyKey {
  std::string name;
  PolicyParser parse;
  Stage stage = Stage::kCall;
  // Levels at which it would do nothing, with the reason, to follow "does nothing here: ".
  std::map<Level, std::string> not_at = {};
};

}  // namespace switchyard::config
