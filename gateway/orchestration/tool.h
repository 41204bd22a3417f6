// A tool of the service: how it is listed, and what it makes of a call. All of them are in
// tools.def; a handler is a function in one of *_tools.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.h"
#include "orchestration/arguments.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

// What the client gets: structuredContent, and a short text for those who read only that.
struct Answer {
  boost::json::object content = {};
  std::string text = {};
  bool empty_handed = false;  // of a poll: nothing was there
};

// What is to be done in a transaction. Owns what it needs; may run more than once.
struct Operation {
  std::function<Result<Answer>(Records&)> run;
  std::int64_t wait_ms = 0;  // how long it may wait for something to be there
  std::string line = {};     // what wakes it then (Effects::lines); "" = tasks that become ready
  // Of one that waited and got nothing, or whose caller went away meanwhile: undoes what `run` left
  // to be found by its next run.
  std::function<Result<void>(Records&)> give_up = {};
  bool may_force = false;  // of the caller; the service sets it
};

struct Tool {
  std::string_view name;        // without the prefix of the service
  std::string_view definition;  // JSON, as the newest revision lists it
  // Reads the arguments: on the caller's thread, before anything waits for the database.
  Result<Operation> (*prepare)(Arguments& arguments);
};

inline constexpr std::string_view kToolPrefix = "orchestration_";

std::span<const Tool> Tools();
const Tool* FindTool(std::string_view name);  // with the prefix; null: there is none
const std::string& ToolList();                // JSON: an array of all definitions

}  // namespace switchyard::orchestration
