#include "downstream/guardian.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/random.h"
#include "downstream/spawn.h"

namespace switchyard::downstream {
namespace {

constexpr int kGraceMilliseconds = 2000;  // between TERM and KILL
constexpr int kStepMilliseconds = 50;

// What the helper knows.
struct Wards {
  std::set<pid_t> groups;
  std::string mark;  // "NAME=value", "" = never told
};

// Processes of ours that bear the mark. Read anew each time, so that a pid is never a stranger's.
std::vector<pid_t> Marked(const std::string& mark) {
  std::vector<pid_t> found;
  if (mark.empty()) return found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), last; !failed && entry != last;
       entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || *end != '\0' || pid == ::getpid()) continue;
    std::ifstream file(entry->path() / "environ", std::ios::binary);
    for (std::string variable; std::getline(file, variable, '\0');) {
      if (variable == mark) found.push_back(pid);
    }
  }
  return found;
}

// False: nobody was left to take it.
bool Signal(const Wards& wards, int signal) {
  bool anybody = false;
  for (const pid_t group : wards.groups) anybody |= ::kill(-group, signal) == 0;
  for (const pid_t pid : Marked(wards.mark)) anybody |= ::kill(pid, signal) == 0;
  return anybody;
}

void EndAll(const Wards& wards) {
  bool anybody = Signal(wards, SIGTERM);
  for (int waited = 0; waited < kGraceMilliseconds && anybody; waited += kStepMilliseconds) {
    ::poll(nullptr, 0, kStepMilliseconds);
    anybody = Signal(wards, 0);
  }
  if (anybody) Signal(wards, SIGKILL);
}

void Obey(std::string_view line, Wards& wards) {
  if (line.starts_with('=')) wards.mark = line.substr(1);
  if (line.size() < 2) return;
  pid_t group = 0;
  std::from_chars(line.data() + 1, line.data() + line.size(), group);
  if (group <= 1) return;  // 0 and 1 would address ourselves or everybody
  if (line.front() == '+') wards.groups.insert(group);
  if (line.front() == '-') wards.groups.erase(group);
}

std::string NewMark() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::uint8_t, 8> bytes;
  SecureRandom(bytes);
  std::string text;
  for (const std::uint8_t byte : bytes) text += {kHex[byte >> 4], kHex[byte & 15]};
  return text;
}

}  // namespace

Guardian::Guardian(std::string own_binary) : own_binary_(std::move(own_binary)), mark_(NewMark()) {}

Result<void> Guardian::Ensure() {
  const std::lock_guard lock(mutex_);
  return line_.valid() ? Result<void>() : StartLocked();
}

void Guardian::Watch(pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_.insert(group);
  if (TellLocked('+' + std::to_string(group))) return;
  if (Result<void> again = StartLocked(); !again) {
    spdlog::error("guardian: {}; children would outlive a killed gateway", again.error().message);
  }
}

void Guardian::Unwatch(pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_.erase(group);
  TellLocked('-' + std::to_string(group));
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
  TellLocked("=" + std::string(kMarkName) + "=" + mark_);
  for (const pid_t group : groups_) TellLocked('+' + std::to_string(group));
  return {};
}

bool Guardian::TellLocked(const std::string& line) {
  if (!line_.valid()) return false;
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
  Wards wards;
  std::array<char, 128> packet;
  for (;;) {
    const ssize_t got = ::recv(fd, packet.data(), packet.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    Obey({packet.data(), static_cast<std::size_t>(got)}, wards);
  }
  EndAll(wards);
  return 0;
}

}  // namespace switchyard::downstream
