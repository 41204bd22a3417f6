// The arguments of one call of a tool, read once by its handler: every getter names what it reads
// and what is allowed; the first thing that is wrong is what Check() says, as a sentence that an
// agent can act on. Names with a | between mean the same; the first is the documented one.
//
// A value of one thread. Ask for everything on every path: what nobody asked for is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"
#include "orchestration/lifecycle.h"

namespace switchyard::orchestration {

class Arguments {
 public:
  // `raw`: JSON of an object; "" = none; it outlives this. What it is not is told by Check().
  explicit Arguments(std::string_view raw);
  // One object among them; `path` is how refusals call it: "tasks[3]".
  Arguments(boost::json::object values, std::string path);

  enum class Need : bool { kOptional, kRequired };

  // UTF-8 of at most so many bytes, not empty. A `word` has no control characters.
  std::optional<std::string> Text(std::string_view names, std::size_t most,
                                  Need need = Need::kOptional);
  std::optional<std::string> Word(std::string_view names, std::size_t most,
                                  Need need = Need::kOptional);
  // Words, each once or more; sorted.
  std::vector<std::string> Words(std::string_view names);
  std::optional<std::int64_t> Integer(std::string_view names, std::int64_t min, std::int64_t max,
                                      Need need = Need::kOptional);
  // How many a page has ("limit"); how long a lease is ("lease_ms", 0 = as configured), and how
  // long the caller would wait ("wait_ms").
  static constexpr std::int64_t kUsualLimit = 10, kMostLimit = 100;
  std::int64_t Limit();
  std::int64_t LeaseMs();
  std::int64_t WaitMs(std::int64_t usual = 0);
  // A number from 0 to 1, in thousandths.
  std::optional<std::int64_t> Share(std::string_view names);
  std::optional<bool> Bool(std::string_view names);
  std::optional<Priority> PriorityIn(std::string_view names);
  std::optional<Status> StatusIn(std::string_view names);
  // One of these words.
  std::optional<std::string> OneOf(std::string_view names,
                                   std::initializer_list<std::string_view> allowed);
  // An id of a task; 0 = not given. A list of them.
  std::int64_t Task(std::string_view names, Need need = Need::kOptional);
  std::vector<std::int64_t> Tasks(std::string_view names);
  // ISO 8601 in UTC (2026-01-31T12:00:00Z), or milliseconds since 1970; 0 = not given.
  std::int64_t Time(std::string_view names);
  // Any JSON value of at most so many bytes, as its writer wrote it.
  std::optional<std::string> Json(std::string_view names, std::size_t most);
  // An object in it, to be read the same way; its trouble is this one's.
  std::optional<Arguments> Child(std::string_view names);
  std::vector<Arguments> Children(std::string_view names, std::size_t most);

  // Takes over what was wrong there, and that somebody looked.
  void Join(const Arguments& child);
  void Wrong(std::string message);  // if nothing was wrong before
  // As the caller calls it: the one of these names that was given, else the documented one.
  std::string Called(std::string_view names) const;
  // What was wrong first, or which argument nobody knows.
  Result<void> Check() const;
  // All that was asked for, by the documented names: "content, task_type".
  std::string Known() const;
  // The same with the other names of each.
  std::set<std::string> names() const;

 private:
  const boost::json::value* Find(std::string_view names, Need need);

  std::string RawOf(std::string_view names, const boost::json::value& value);

  std::string_view raw_;  // "" of an object among others
  boost::json::object values_;
  std::string path_;
  std::vector<std::string> asked_;  // the names of each
  std::string wrong_;               // "" = nothing yet
};

// "2026-01-31T12:00:00Z" of milliseconds since 1970.
std::string TimeText(std::int64_t milliseconds);

}  // namespace switchyard::orchestration
