// The real binary as a child: its output is read as it comes, its end is waited for, and nothing is
// left behind. Waiting is bounded by kPatience, which only a failure ever uses up.
#pragma once

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/paths.h"

namespace switchyard::cli {

inline constexpr std::chrono::seconds kPatience{30};

class Program {
 public:
  explicit Program(std::vector<std::string> arguments, const std::string& directory = "/",
                   std::string path = ::switchyard::paths::SwitchyardBinary()) {
    int in[2], out[2], err[2];
    for (int* pair : {in, out, err}) EXPECT_EQ(pipe2(pair, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    arguments.insert(arguments.begin(), path);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(posix_spawnp(&pid_, path.c_str(), &actions, nullptr, pointers.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (const int fd : {in[0], out[1], err[1]}) close(fd);
    in_ = in[1];
    fds_ = {out[0], err[0]};
  }
  Program(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    CloseInput();
    for (const int fd : fds_) close(fd);
  }

  void Write(const std::string& text) {
    EXPECT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseInput() {
    if (in_ >= 0) close(std::exchange(in_, -1));
  }
  void Signal(int signal) const { kill(pid_, signal); }
  pid_t pid() const { return pid_; }

  const std::string& out() const { return texts_[0]; }
  const std::string& err() const { return texts_[1]; }

  // Reads on until the output holds `text` after `from`.
  testing::AssertionResult SaysOut(const std::string& text) { return Says(0, text); }
  testing::AssertionResult SaysErr(const std::string& text) { return Says(1, text); }
  // What was said so far is of no more interest.
  void Forget() { texts_ = {}; }

  // Reads to the end; the exit status, or -1 with a failure.
  int Wait() {
    while (open_ > 0 && Read()) {
    }
    int status = 0;
    if (open_ > 0) {
      ADD_FAILURE() << "still running; stderr: " << err();
      kill(pid_, SIGKILL);
    }
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  testing::AssertionResult Says(std::size_t which, const std::string& text) {
    while (!texts_[which].contains(text)) {
      if (!Read()) {
        return testing::AssertionFailure()
               << "never said: " << text << "\nout: " << out() << "\nerr: " << err();
      }
    }
    return testing::AssertionSuccess();
  }

  // One step of reading. False: both ended, or the patience did.
  bool Read() {
    std::array<pollfd, 2> ready;
    for (std::size_t i = 0; i < fds_.size(); ++i) {
      ready[i] = {.fd = ended_[i] ? -1 : fds_[i], .events = POLLIN, .revents = 0};
    }
    const auto timeout = std::chrono::milliseconds(kPatience).count();
    if (open_ == 0 || poll(ready.data(), ready.size(), static_cast<int>(timeout)) <= 0)
      return false;
    for (std::size_t i = 0; i < fds_.size(); ++i) {
      if (ready[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t got = read(fds_[i], buffer.data(), buffer.size());
      if (got > 0) {
        texts_[i].append(buffer.data(), static_cast<std::size_t>(got));
      } else {
        ended_[i] = true;
        --open_;
      }
    }
    return true;
  }

  pid_t pid_ = -1;
  int in_ = -1;
  std::array<int, 2> fds_{};
  std::array<bool, 2> ended_{};
  std::array<std::string, 2> texts_;
  int open_ = 2;
};

// A directory of its own, gone afterwards.
class Workplace {
 public:
  Workplace() {
    std::string name = std::filesystem::temp_directory_path() / "switchyard-cli-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  Workplace(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  // As editors do it: a new file that takes the place of the old one.
  std::string Put(const std::string& name, const std::string& text) const {
    const std::string file = path_ + "/" + name;
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
    return file;
  }

 private:
  std::string path_;
};

}  // namespace switchyard::cli
