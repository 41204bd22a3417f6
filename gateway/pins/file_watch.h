// Tells when a file may have changed: inotify on its directory and, where the name is a link, on
// that of what it leads to. Where nothing can be watched it says so in the log and tells nothing.
// One thread: the executor's; destroyed there, or when nothing runs there any more.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/task.h"

namespace switchyard::pins {

class FileWatch {
 public:
  FileWatch(Executor executor, const std::string& path, std::function<void()> changed);
  FileWatch(const FileWatch&) = delete;
  ~FileWatch();

 private:
  struct State;
  static void Wait(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace switchyard::pins
