#include "downstream/spawn.h"

#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace switchyard::downstream {
namespace {

std::unexpected<Error> SystemFailure(int error) {
  return Failure(Code::kUnavailable, Origin::kGateway, ErrnoText(error));
}

// The destructors of the two C structures.
struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { posix_spawn_file_actions_init(&value); }
  Actions(const Actions&) = delete;
  ~Actions() { posix_spawn_file_actions_destroy(&value); }
};

struct Attributes {
  posix_spawnattr_t value;
  Attributes() { posix_spawnattr_init(&value); }
  Attributes(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&value); }
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int Prepare(const SpawnPlan& plan, Actions& actions) {
  auto* list = &actions.value;
  if (int e = posix_spawn_file_actions_adddup2(list, plan.input, STDIN_FILENO)) return e;
  if (int e = posix_spawn_file_actions_adddup2(list, plan.output, STDOUT_FILENO)) return e;
  const int error =
      plan.error >= 0
          ? posix_spawn_file_actions_adddup2(list, plan.error, STDERR_FILENO)
          : posix_spawn_file_actions_addopen(list, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (error != 0) return error;
  // Ours are close-on-exec; libraries' may not be.
  if (int e = posix_spawn_file_actions_addclosefrom_np(list, STDERR_FILENO + 1)) return e;
  if (plan.cwd.empty()) return 0;
  return posix_spawn_file_actions_addchdir_np(list, plan.cwd.c_str());
}

int Prepare(Attributes& attributes) {
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  // The gateway ignores SIGPIPE and blocks what its signal thread takes; both would be inherited.
  if (int e = posix_spawnattr_setsigdefault(&attributes.value, &all)) return e;
  if (int e = posix_spawnattr_setsigmask(&attributes.value, &none)) return e;
  return posix_spawnattr_setflags(
      &attributes.value,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
}

// Moves a descriptor out of 0..2, where the child's dup2 actions would overwrite it.
bool Lift(Fd& fd) {
  if (fd.get() > STDERR_FILENO) return true;
  fd.Reset(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return fd.valid();
}

Result<FdPair> Lifted(int ours, int theirs) {
  FdPair pair{.ours = Fd(ours), .theirs = Fd(theirs)};
  if (!Lift(pair.ours) || !Lift(pair.theirs)) return SystemFailure(errno);
  return pair;
}

}  // namespace

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Result<pid_t> SpawnChild(const SpawnPlan& plan) {
  Actions actions;
  Attributes attributes;
  if (int e = Prepare(plan, actions)) return SystemFailure(e);
  if (int e = Prepare(attributes)) return SystemFailure(e);
  std::vector<char*> arguments = Pointers(plan.arguments);
  std::vector<char*> environment = Pointers(plan.environment);
  pid_t pid = -1;
  if (int e = posix_spawn(&pid, plan.path.c_str(), &actions.value, &attributes.value,
                          arguments.data(), environment.data())) {
    return SystemFailure(e);
  }
  return pid;
}

// The system call itself: the header of glibc 2.36 forgets extern "C" for its wrapper.
Fd OpenPidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

Result<FdPair> MakeSocketPair(int type) {
  int fds[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) return SystemFailure(errno);
  return Lifted(fds[0], fds[1]);
}

Result<FdPair> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return SystemFailure(errno);
  return Lifted(fds[0], fds[1]);
}

}  // namespace switchyard::downstream
