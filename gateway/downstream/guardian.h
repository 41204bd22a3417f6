// No orphans, not even after kill -9 of the gateway: one small helper process knows the process
// groups of all children and ends them once the gateway is gone.
//
// The helper is the gateway's own binary, started as `switchyard guardian` before the first child.
// It sits in a session of its own (^C and SIGTERM for the gateway do not reach it), reads packets
// `+PGID` and `-PGID` from a socket whose other end only the gateway holds, and acts on its end of
// file. Then it also looks through /proc for the mark that every child inherits in its environment:
// that finds a child born just before the gateway died, and descendants that left their process
// group.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace switchyard::downstream {

// Thread-safe. One a process.
class Guardian {
 public:
  explicit Guardian(std::string own_binary);

  static constexpr std::string_view kMarkName = "SWITCHYARD_GUARDIAN";
  // The value of the mark; not a secret, but nobody else's.
  const std::string& mark() const { return mark_; }

  // Starts the helper unless it runs. Called before a child is born, so that a gateway that could
  // not look after its children starts none.
  Result<void> Ensure();
  // A helper that somebody killed is started again and told of all groups.
  void Watch(pid_t group);
  void Unwatch(pid_t group);

  pid_t pid() const;  // of the helper, -1 = none yet; for tests

 private:
  Result<void> StartLocked();
  bool TellLocked(const std::string& line);

  const std::string own_binary_;
  const std::string mark_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::set<pid_t> groups_;
  Fd line_;
  pid_t pid_ = -1;
};

// The helper's main(): returns its exit status once the other end of `fd` is closed and everybody
// it answers for has been ended.
int RunGuardian(int fd);

}  // namespace switchyard::downstream
