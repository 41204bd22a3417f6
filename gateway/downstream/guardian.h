// No orphans, not even after kill -9 of the gateway: one small helper process knows the process
// groups of all children and ends them once the gateway is gone.
//
// The helper is the gateway's own binary, started as `switchyard guardian` before the first child.
// It sits in a session of its own (^C and SIGTERM for the gateway do not reach it), reads lines
// `+PGID` and `-PGID` from a socket whose other end only the gateway holds, and acts on its end of
// file. What remains is the instant between the birth of a child and the line about it.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"
#include "downstream/fd.h"

namespace switchyard::downstream {

// Thread-safe. One a process.
class Guardian {
 public:
  explicit Guardian(std::string own_binary) : own_binary_(std::move(own_binary)) {}

  // Starts the helper unless it runs. Called before a child is born, so that a gateway that could
  // not look after its children starts none.
  Result<void> Ensure();
  // A helper that somebody killed is started again and told of all groups.
  void Watch(pid_t group);
  void Unwatch(pid_t group);

  pid_t pid() const;  // of the helper, -1 = none yet; for tests

 private:
  Result<void> StartLocked();
  bool TellLocked(char sign, pid_t group);

  const std::string own_binary_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::set<pid_t> groups_;
  Fd line_;
  pid_t pid_ = -1;
};

// The helper's main(): returns its exit status once the other end of `fd` is closed and every group
// it was told of has been ended.
int RunGuardian(int fd);

}  // namespace switchyard::downstream
