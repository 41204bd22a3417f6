// A tool of the service: how it is listed, and what it makes of a call. All of them are in
// tools.def; a handler is a function in one of *_tools.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.h"
#include "orchestration/arguments.h"
#include "orchestration/planning/planner.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

// What the client gets: structuredContent (written by verbatim.h), and a short text for those who
// read only that.
struct Answer {
  boost::json::object content = {};
  std::string text = {};
  bool empty_handed = false;  // of a poll: nothing was there
  bool took = false;          // of a poll: something is its agent's now
  std::int64_t task = 0;      // what there is to follow, where the operation is one for that
};

// Whether the answer to a call may be a task of MCP in its stead, which the client then follows.
enum class Follow : std::uint8_t {
  kNever,
  kIfAsked,  // the client asked for one with this call
  kIfTaken,  // the client takes tasks
};

// What a model is asked for before an operation runs, and outside of any transaction. Each owns
// what it needs, and may run more than once.
struct Wish {
  std::function<Result<Brief>(Records&)> look;  // what it is asked; without a text: nothing
  // Instead of the operation's own `run`, with what came of it.
  std::function<Result<Answer>(Records&, const Planned&)> run;
};

// What is to be done in a transaction. Owns what it needs; may run more than once.
struct Operation {
  std::function<Result<Answer>(Records&)> run;
  std::int64_t wait_ms = 0;  // how long it may wait for something to be there
  bool only_heard = false;   // not begun for a caller that is gone: nobody would know what it gave
  std::size_t bytes = 0;     // that it holds while it waits for its turn, about
  std::int64_t awaits = 0;   // the task whose changes it waits for; 0 = one that is ready, or
  std::string line = {};     // what wakes it (Effects::lines); "" = tasks that become ready
  // Of one that waited and got nothing, or whose caller went away meanwhile: undoes what `run` left
  // to be found by its next run.
  std::function<Result<void>(Records&)> give_up = {};
  Follow follow = Follow::kNever;
  Rights rights = {};                          // of the caller
  std::shared_ptr<const Wish> wish = nullptr;  // null = no model is asked
};

// The usual operation: nothing waits; Failure if the arguments were not fine.
Result<Operation> Do(const Arguments& arguments, std::function<Result<Answer>(Records&)> run);

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
