// A fake MCP server on stdin and stdout: the Surface of surface.h as a child process.
//
//   fake_stdio_server --name NAME --era modern|legacy|both [--touchy] [--deaf] [--noise]
//                     [--offspring] [--report FILE] [--tasks]
//
// touchy: legacy, and dies of anything before initialize. deaf: survives end of input and TERM.
// noise: talks on stderr. offspring: has a child process of its own (tool `offspring` names its
// pid). report: appends its pid to a file at its start. tasks: fake_tasks.h. Tool `end` exits in
// order.
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "support/fake_tasks.h"
#include "support/surface.h"

namespace switchyard::tests {
namespace {

struct Flags {
  std::string name = "fake", era = "modern", report;
  bool touchy = false, deaf = false, noise = false, offspring = false, tasks = false;
};

// All of stdout; a line at a time.
class Channel {
 public:
  void WriteLine(std::string line) {
    line += '\n';
    Write(line);
  }

  void Write(std::string_view bytes) {
    const std::scoped_lock lock(mutex_);
    while (!bytes.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (written < 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

 private:
  std::mutex mutex_;
};

class LineTurn final : public Turn {
 public:
  LineTurn(Surface& surface, std::string raw, Channel& channel)
      : Turn(surface, std::move(raw), ""), channel_(channel) {}
  void Send(std::string message) override { channel_.WriteLine(std::move(message)); }
  void Finish(std::string response, int) override { channel_.WriteLine(std::move(response)); }
  void Bytes(std::string bytes) override { channel_.WriteLine(std::move(bytes)); }
  void Verbatim(std::string bytes) override { channel_.Write(bytes); }
  void Drop() override { ::_exit(1); }
  void HalfClose() override {
    // stdin and stdout may be one socket: a mere close would leave it open for writing
    ::shutdown(STDOUT_FILENO, SHUT_WR);
    ::close(STDOUT_FILENO);
  }

 private:
  Channel& channel_;
};

Flags Read(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const bool more = i + 1 < argc;
    if (flag == "--name" && more) flags.name = argv[++i];
    if (flag == "--era" && more) flags.era = argv[++i];
    if (flag == "--report" && more) flags.report = argv[++i];
    flags.touchy |= flag == "--touchy";
    flags.deaf |= flag == "--deaf";
    flags.noise |= flag == "--noise";
    flags.offspring |= flag == "--offspring";
    flags.tasks |= flag == "--tasks";
  }
  return flags;
}

void Report(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const std::string line = std::to_string(::getpid()) + "\n";
  if (::write(file, line.data(), line.size()) < 0) std::cerr << "no report\n";
  ::close(file);
}

pid_t Offspring() {
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (;;) ::pause();
}

void Serve(const Flags& flags, Surface& surface, Channel& channel) {
  bool initialized = false;
  for (std::string line; std::getline(std::cin, line);) {
    const json::value message = Parse(line);
    const std::string method = TextAt(message, "/method");
    initialized |= method == "initialize";
    if (flags.touchy && !initialized) ::_exit(3);
    if (method.empty() && surface.questions().Take(message)) continue;
    if (method.empty()) {
      surface.Complain("neither request nor notification: " + line);
    } else if (At(message, "/id").is_null()) {
      surface.OnNotification(message, "");
    } else {
      auto turn = std::make_shared<LineTurn>(surface, std::move(line), channel);
      surface.Begin(*turn);
      std::thread([&surface, turn] { surface.Serve(*turn); }).detach();
    }
  }
}

int Main(int argc, char** argv) {
  const Flags flags = Read(argc, argv);
  if (!flags.report.empty()) Report(flags.report);
  if (flags.deaf) std::signal(SIGTERM, SIG_IGN);
  const pid_t offspring = flags.offspring ? Offspring() : 0;
  static Surface surface(flags.name);  // threads may use it until the process is gone
  static Channel channel;
  surface.Speak(flags.era != "legacy", flags.era != "modern");
  if (flags.era == "legacy") {
    surface.OnChange([](std::string notification) { channel.WriteLine(std::move(notification)); });
  }
  if (flags.tasks) AddTasks(surface, flags.era == "legacy" ? Era::kLegacy : Era::kModern);
  surface.AddTool("offspring", [offspring](Turn& turn) { turn.Text(std::to_string(offspring)); });
  surface.AddTool("end", [](Turn&) { ::_exit(0); });
  if (flags.noise) std::cerr << "{\"jsonrpc\": not a message, only noise\nand more\n";
  Serve(flags, surface, channel);
  while (flags.deaf) ::pause();
  ::_exit(0);
}

}  // namespace
}  // namespace switchyard::tests

int main(int argc, char** argv) { return switchyard::tests::Main(argc, argv); }
