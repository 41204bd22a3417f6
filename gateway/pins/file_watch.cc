#include "pins/file_watch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <sys/inotify.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <spdlog/spdlog.h>

#include "base/fd.h"

namespace switchyard::pins {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;

}  // namespace

struct FileWatch::State {
  State(Executor executor, int inotify, std::function<void()> on_change)
      : descriptor(executor, inotify), changed(std::move(on_change)) {}

  bool Take() {  // true: one was about ours
    alignas(inotify_event) std::array<char, 4096> buffer;
    bool ours = false;
    for (;;) {
      const ssize_t got = ::read(descriptor.native_handle(), buffer.data(), buffer.size());
      if (got <= 0) return ours;
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        ours |=
            (event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && names.contains(event->name));
      }
    }
  }

  net::posix::basic_stream_descriptor<Executor> descriptor;
  std::function<void()> changed;  // null: nobody is to be told any more
  std::set<std::string, std::less<>> names;
};

FileWatch::FileWatch(Executor executor, const std::string& path, std::function<void()> changed) {
  namespace fs = std::filesystem;
  Fd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::set<std::string, std::less<>> names;
  const auto watch = [&](const fs::path& file) {
    const std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
    names.insert(file.filename().string());
    if (inotify.valid() && inotify_add_watch(inotify.get(), directory.c_str(), kMask) >= 0) return;
    spdlog::warn("{} is not watched: {}; send SIGHUP after a change", directory,
                 std::strerror(errno));
  };
  watch(path);
  std::error_code ignored;
  const fs::path target = fs::weakly_canonical(path, ignored);
  if (!target.empty() && target != fs::path(path)) watch(target);
  if (!inotify.valid()) return;
  state_ = std::make_shared<State>(executor, inotify.Release(), std::move(changed));
  state_->names = std::move(names);
  Wait(state_);
}

FileWatch::~FileWatch() {
  if (state_ == nullptr) return;
  state_->changed = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

void FileWatch::Wait(std::shared_ptr<State> state) {
  State& waiting = *state;
  waiting.descriptor.async_wait(
      net::posix::descriptor_base::wait_read,
      [state = std::move(state)](const boost::system::error_code& error) mutable {
        if (error || !state->changed) return;
        if (state->Take()) state->changed();
        if (state->changed) Wait(std::move(state));
      });
}

}  // namespace switchyard::pins
