// One posix_spawn: the child leads its own session (hence its own process group, pgid == pid), has
// exactly the three descriptors given, default signals and an empty signal mask.
//
// Not Boost.Process: its launchers fork, which costs 50 ms a child at 1 GiB of memory, and its
// vfork one runs Asio's fork notification in the parent's memory. posix_spawn costs 0.6 ms whatever
// we use.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace switchyard::downstream {

struct SpawnPlan {
  std::string path;                      // of the program, absolute or relative to `cwd`
  std::vector<std::string> arguments;    // argv, the program's name first
  std::vector<std::string> environment;  // "NAME=value"
  std::string cwd;                       // "" = ours
  // Borrowed, close-on-exec, above 2 (see MakeStreamPair); `error` -1 = /dev/null.
  int input = -1;
  int output = -1;
  int error = -1;
};

// Thread-safe. The Error's message is the system's word alone ("No such file or directory").
Result<pid_t> SpawnChild(const SpawnPlan& plan);

struct FdPair {
  Fd ours;
  Fd theirs;
};

// A connected pair of AF_UNIX sockets of `type`, close-on-exec, both above 2 even when the gateway
// itself was started with standard descriptors closed.
Result<FdPair> MakeSocketPair(int type);
// `ours` is the reading end.
Result<FdPair> MakePipe();

// A descriptor that becomes readable when the process exits; invalid on failure, errno says why.
Fd OpenPidfd(pid_t pid);

// strerror(), thread-safe.
std::string ErrnoText(int error);

}  // namespace switchyard::downstream
