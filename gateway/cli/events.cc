#include "cli/events.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

namespace switchyard::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;

Fd BlockAndOpenSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Events::Events(std::chrono::milliseconds settle)
    : settle_(settle),
      signals_(BlockAndOpenSignals()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Events::WatchFile(const std::filesystem::path& path) {
  if (!files_.valid()) files_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::error_code ignored;
  const auto [file, is_new] = paths_.insert(std::filesystem::absolute(path, ignored));
  if (is_new) Follow(*file);
}

// The file's own directory and, where it is a link, that of what it leads to. Kubernetes replaces a
// mounted file by turning the link `..data` beside it.
void Events::Follow(const std::filesystem::path& file) {
  std::error_code ignored;
  Watch(file.parent_path(), file.filename().string());
  Watch(file.parent_path(), "..data");
  const std::filesystem::path target = std::filesystem::canonical(file, ignored);
  if (!target.empty() && target != file) Watch(target.parent_path(), target.filename().string());
}

void Events::Watch(const std::filesystem::path& directory, const std::string& name) {
  const int descriptor = inotify_add_watch(files_.get(), directory.c_str(), kMask);
  if (descriptor < 0) {
    spdlog::warn("{} is not watched: {}; send SIGHUP after a change", directory.string(),
                 std::strerror(errno));
    return;
  }
  names_[descriptor].insert(name);
}

bool Events::TakeFileEvents() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool ours = false;
  for (;;) {
    const ssize_t got = ::read(files_.get(), buffer.data(), buffer.size());
    if (got <= 0) return ours;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const auto names = names_.find(event->wd);
      // Events were lost: ours may have been among them.
      ours |= (event->mask & IN_Q_OVERFLOW) != 0;
      ours |= names != names_.end() && event->len > 0 && names->second.contains(event->name);
    }
  }
}

bool Events::TakeSignal(Event& event) {
  signalfd_siginfo info;
  if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return false;
  event = info.ssi_signo == SIGHUP ? Event::kReload : Event::kStop;
  return true;
}

Event Events::Reload() {
  for (const std::filesystem::path& file : paths_) Follow(file);
  return Event::kReload;
}

Event Events::Next() {
  for (;;) {
    if (files_.valid() && TakeFileEvents()) {
      changed_ = true;
      changed_at_ = SteadyClock::now();
    }
    int timeout = -1;
    if (changed_) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(changed_at_ + settle_ - SteadyClock::now());
      if (left.count() <= 0) {
        changed_ = false;
        return Reload();
      }
      timeout = static_cast<int>(left.count());
    }
    Event event{};
    if (TakeSignal(event)) return event == Event::kReload ? Reload() : event;
    std::uint64_t count = 0;
    if (::read(wake_.get(), &count, sizeof(count)) > 0) return Event::kWoken;
    std::array<pollfd, 3> ready = {{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = files_.get(), .events = POLLIN, .revents = 0}}};
    ::poll(ready.data(), ready.size(), timeout);
  }
}

void Events::Wake() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof(one)) > 0);
}

}  // namespace switchyard::cli
