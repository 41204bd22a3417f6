// What a child writes to its stderr goes to the log with the server's name. Free text, never a sign
// of failure. Bounded: lines are cut, and of a flood only the first lines of each second are
// logged.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/task.h"
#include "core/deps.h"

namespace switchyard::downstream {

class StderrLog {
 public:
  static constexpr std::size_t kMaxLine = 2048;
  static constexpr unsigned kMaxLinesPerSecond = 50;

  StderrLog(std::string server, const Clock& clock) : server_(std::move(server)), clock_(clock) {}

  // Reads until end of file. Holds the log: a read that is over when its task is cancelled still
  // comes back once.
  static Task<void> Run(std::shared_ptr<StderrLog> log, Executor executor, Fd errors);

  // Takes bytes as they come; for Run() and tests.
  void Take(std::string_view bytes);

  // The last line, for the detail of "exited with status 1".
  const std::string& last() const { return last_; }

 private:
  void EndLine();

  const std::string server_;
  const Clock& clock_;
  std::string line_;
  std::string last_;
  TimePoint second_ = {};  // when the current one began
  unsigned lines_ = 0;     // in it
  std::size_t dropped_ = 0;
};

}  // namespace switchyard::downstream
