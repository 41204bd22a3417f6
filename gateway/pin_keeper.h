// Stands between what servers list and the catalogs: what is not pinned as it is
// (docs/policies/pinning.md) does not get there. Keeps the pins file, and looks again when somebody
// else changed it.
//
// Works when a server's lists change or the file does; calls never meet it. One thread, the control
// thread's, but for Inspect().
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/timers.h"
#include "catalog/inventory.h"
#include "config/config.h"
#include "config/problem.h"
#include "pins/book_file.h"
#include "pins/file_watch.h"
#include "pins/judge.h"
#include "telemetry/metrics.h"

namespace switchyard {

class PinKeeper {
 public:
  // `again`: the catalogs are to be built anew, by Judge() of today. All outlive this. `log`
  // null: what becomes of definitions leaves no record.
  PinKeeper(Executor executor, Timers& timers, telemetry::Metrics& metrics, audit::Sink* log,
            std::function<void()> again);

  // Whether the pins file, if one is needed, can be used. Any thread; changes nothing.
  static Result<void> Inspect(const config::Config& config);

  // What holds from now on: at start and at each reload.
  void Configure(const config::Config& config);

  // Takes out of each server's lists what is not to be offered. Before a catalog is built.
  void Judge(std::vector<catalog::ServerState>& states);

  // No more of the file; before the executor's thread ends.
  void Close();

 private:
  using Inventory = std::shared_ptr<const catalog::Inventory>;
  struct Server {
    pins::Rules rules;
    std::string origin, prefix;
  };
  struct Judged {
    Inventory raw, offered;
  };

  void Decide(const std::vector<catalog::ServerState>& states);
  // Under the file's lock, or as far as that is possible without.
  void DecideOn(const std::vector<catalog::ServerState>& states);
  bool Reread();
  void NoteNames(const std::vector<catalog::ServerState>& states);
  bool MayStir(const std::string& server);
  bool Adopt();  // servers that were renamed
  void Save();   // under the file's lock
  Inventory JudgeOne(const std::string& name, const Server& server, const Inventory& raw);
  void Release(const std::string& name);
  void Count(const std::string& name, const pins::Verdict& verdict);
  void Tell(const std::string& name, const pins::Verdict& verdict);
  void Failed(const Error& why);
  bool Scans() const;

  const Executor executor_;
  Timers& timers_;
  telemetry::Metrics& metrics_;
  const std::function<void()> again_;
  audit::Sink* const log_;

  std::map<std::string, Server> servers_;  // those with rules that do anything, or a prefix
  std::set<std::string> configured_;       // all names
  std::optional<pins::BookFile> file_;     // absent: nothing is pinned
  std::unique_ptr<pins::FileWatch> watch_;
  pins::Book book_;
  pins::ToolNames names_;
  std::map<std::string, Judged> judged_;  // by server
  // How often names of a server's tools had all others scanned anew.
  struct Stirs {
    std::size_t hash = 0;  // of its names now
    TimePoint since{};
    unsigned count = 0;
  };
  std::map<std::string, Stirs> stirs_;
  bool unread_ = false;                   // the file is there and cannot be used: not written over
  bool unsaved_ = false, stale_ = false;  // stale: all is to be judged anew
  std::string last_failure_;
  Timers::Handle retry_, rescan_;
  std::map<std::string, std::array<std::shared_ptr<telemetry::Gauge>, pins::kWhys>> held_;
};

}  // namespace switchyard
