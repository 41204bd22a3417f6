#include "downstream/guardian.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <signal.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/spawn.h"

namespace switchyard::downstream {
namespace {

constexpr int kGraceMilliseconds = 2000;  // between TERM and KILL
constexpr int kStepMilliseconds = 20;

void SignalAll(const std::set<pid_t>& groups, int signal) {
  for (const pid_t group : groups) ::kill(-group, signal);
}

bool AnyAlive(const std::set<pid_t>& groups) {
  return std::ranges::any_of(groups, [](pid_t group) { return ::kill(-group, 0) == 0; });
}

void EndAll(const std::set<pid_t>& groups) {
  SignalAll(groups, SIGTERM);
  for (int waited = 0; waited < kGraceMilliseconds && AnyAlive(groups);
       waited += kStepMilliseconds) {
    ::poll(nullptr, 0, kStepMilliseconds);
  }
  SignalAll(groups, SIGKILL);
}

void Obey(std::string_view line, std::set<pid_t>& groups) {
  if (line.size() < 2) return;
  pid_t group = 0;
  std::from_chars(line.data() + 1, line.data() + line.size(), group);
  if (group <= 1) return;  // 0 and 1 would address ourselves or everybody
  if (line.front() == '+') groups.insert(group);
  if (line.front() == '-') groups.erase(group);
}

}  // namespace

Result<void> Guardian::Ensure() {
  const std::lock_guard lock(mutex_);
  return line_.valid() ? Result<void>() : StartLocked();
}

void Guardian::Watch(pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_.insert(group);
  if (TellLocked('+', group)) return;
  if (Result<void> again = StartLocked(); !again) {
    spdlog::error("guardian: {}; children would outlive a killed gateway", again.error().message);
  }
}

void Guardian::Unwatch(pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_.erase(group);
  TellLocked('-', group);
}

pid_t Guardian::pid() const {
  const std::lock_guard lock(mutex_);
  return pid_;
}

Result<void> Guardian::StartLocked() {
  if (pid_ > 0) ::waitpid(pid_, nullptr, WNOHANG);  // a helper that was killed
  // Packets keep lines whole and, other than a pipe's, their write can be told not to raise
  // SIGPIPE.
  Result<FdPair> pair = MakeSocketPair(SOCK_SEQPACKET);
  if (!pair) return Failure(std::move(pair.error()).In("guardian"));
  SpawnPlan plan;
  plan.path = own_binary_;
  plan.arguments = {"switchyard", "guardian"};
  plan.cwd = "/";  // so that it holds no mount
  plan.input = plan.output = pair->theirs.get();
  Result<pid_t> pid = SpawnChild(plan);
  if (!pid) return Failure(std::move(pid.error()).In("guardian: " + own_binary_));
  pid_ = *pid;
  line_ = std::move(pair->ours);
  for (const pid_t group : groups_) TellLocked('+', group);
  return {};
}

bool Guardian::TellLocked(char sign, pid_t group) {
  if (!line_.valid()) return false;
  const std::string line = sign + std::to_string(group) + '\n';
  ssize_t sent;
  do {
    sent = ::send(line_.get(), line.data(), line.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) line_.Reset();
  return sent > 0;
}

int RunGuardian(int fd) {
  // A stop of the whole service signals us as well; we leave last, and only by end of file.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  std::set<pid_t> groups;
  std::array<char, 64> packet;
  for (;;) {
    const ssize_t got = ::recv(fd, packet.data(), packet.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    std::string_view line(packet.data(), static_cast<std::size_t>(got));
    if (line.ends_with('\n')) line.remove_suffix(1);
    Obey(line, groups);
  }
  EndAll(groups);
  return 0;
}

}  // namespace switchyard::downstream
