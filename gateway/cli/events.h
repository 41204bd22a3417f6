// What `serve` waits for on the main thread: signals, a changed configuration file, the end of what
// runs beside it. One thread waits; Wake() may come from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/fd.h"

namespace switchyard::cli {

enum class Event : std::uint8_t {
  kStop,    // SIGTERM or SIGINT, once each
  kReload,  // SIGHUP, or the file changed
  kWoken,   // Wake()
};

class Events {
 public:
  // Blocks SIGTERM, SIGINT and SIGHUP for this thread and all that it starts from now on, so make
  // it before any other thread. They stay blocked. `settle`: editors and deployments touch a file
  // several times, and one reload is enough.
  explicit Events(std::chrono::milliseconds settle = std::chrono::milliseconds(200));
  Events(const Events&) = delete;

  // From now on changes of this file, too, are events; of a link also those of what it leads to,
  // wherever that is by then. Where it cannot be watched, that is logged.
  void WatchFile(const std::filesystem::path& path);

  Event Next();  // blocks
  void Wake();

 private:
  void Follow(const std::filesystem::path& file);
  Event Reload();  // kReload; follows links anew, which may have been turned
  void Watch(const std::filesystem::path& directory, const std::string& name);
  bool TakeFileEvents();  // true: one was about one of our files
  bool TakeSignal(Event& event);

  const std::chrono::milliseconds settle_;
  Fd signals_, wake_, files_;
  // Watch descriptor -> names that matter in that directory. Editors replace a file by renaming
  // another one over it, so the directory is watched and not the file.
  std::map<int, std::set<std::string>> names_;
  std::set<std::filesystem::path> paths_;
  bool changed_ = false;
  std::chrono::steady_clock::time_point changed_at_;
};

}  // namespace switchyard::cli
