// The two kinds of client that wrk cannot be. Linux only, one thread, no dependencies.
//
//   bench_client paced    --port P --request FILE --connections N --rate R --seconds S
//     Sends R requests a second on a fixed schedule and measures each from the moment it was due,
//     so that a stall is charged to every request it delayed. Prints one JSON object.
//   bench_client sessions --port P --path PATH --count N [--streams]
//     Opens N legacy sessions, each with an open GET stream if asked, prints one JSON object, and
//     keeps them until stdin closes.
//
// FILE holds one whole HTTP request; its "@@@@@@" becomes a six-digit id, another for each request.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

#include "client_http.h"

namespace {

using bench::Connect;
using bench::Fail;
using bench::Header;
using bench::ResponseLength;
using bench::SendAll;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string mode, request, path = "/mcp";
  int port = 0;
  int connections = 1;
  int count = 0;
  double rate = 1000;
  double seconds = 1;
  bool streams = false;
};

// ---- paced

// Sends requests when they are due, on whichever connection is free; the ones that find none wait
// in line, and their waiting counts.
class PacedRun {
 public:
  explicit PacedRun(const Options& options) : options_(options), epoll_(epoll_create1(0)) {
    std::ifstream file(options.request, std::ios::binary);
    request_.assign(std::istreambuf_iterator<char>(file), {});
    id_at_ = request_.find("@@@@@@");
    if (request_.empty()) Fail("cannot read " + options.request);
    slots_.resize(static_cast<std::size_t>(options.connections));
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      slots_[i].fd = Connect(options.port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, slots_[i].fd, &event);
      free_.push_back(i);
    }
  }

  void Run() {
    const auto total = static_cast<std::size_t>(options_.rate * options_.seconds);
    latencies_.reserve(total);
    start_ = Clock::now();
    const auto give_up = start_ + std::chrono::duration<double>(options_.seconds + 5);
    std::size_t sent = 0;
    while (latencies_.size() < total && Clock::now() < give_up) {
      const auto now = Clock::now();
      while (sent < total && !free_.empty() && Due(sent) <= now) Send(sent++);
      const bool must_wait_for_reply = sent == total || free_.empty();
      Wait(must_wait_for_reply ? std::chrono::milliseconds(100) : Due(sent) - Clock::now());
    }
    Report(total);
  }

 private:
  struct Slot {
    int fd = -1;
    Clock::time_point due;
    std::string in;
  };

  Clock::time_point Due(std::size_t number) const {
    const std::chrono::duration<double> offset(static_cast<double>(number) / options_.rate);
    return start_ + std::chrono::duration_cast<Clock::duration>(offset);
  }

  void Send(std::size_t number) {
    Slot& slot = slots_[free_.back()];
    free_.pop_back();
    if (id_at_ != std::string::npos) {
      const std::string id = std::to_string(100000 + number % 900000);
      request_.replace(id_at_, id.size(), id);
    }
    slot.due = Due(number);
    SendAll(slot.fd, request_);
  }

  void Wait(Clock::duration longest) {
    const auto ns = std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::nanoseconds>(longest).count());
    const timespec limit{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    epoll_event events[64];
    const int count = epoll_pwait2(epoll_, events, 64, &limit, nullptr);
    for (int i = 0; i < count; ++i) Receive(events[i].data.u32);
  }

  void Receive(std::uint32_t index) {
    Slot& slot = slots_[index];
    char chunk[64 << 10];
    const ssize_t got = recv(slot.fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got <= 0) Fail("the other side closed a connection under load");
    slot.in.append(chunk, static_cast<std::size_t>(got));
    if (ResponseLength(slot.in) == 0) return;
    const std::chrono::duration<double, std::micro> took = Clock::now() - slot.due;
    latencies_.push_back(took.count());
    if (slot.in.compare(9, 3, "200") != 0) ++refused_;
    slot.in.clear();
    free_.push_back(index);
  }

  void Report(std::size_t total) {
    if (latencies_.empty()) Fail("no reply at all");
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
      const double index = share * static_cast<double>(latencies_.size() - 1);
      return latencies_[static_cast<std::size_t>(index)];
    };
    std::printf(
        "{\"requests\":%zu,\"unanswered\":%zu,\"refused\":%zu,\"p50_us\":%.1f,"
        "\"p99_us\":%.1f,\"max_us\":%.1f}\n",
        latencies_.size(), total - latencies_.size(), refused_, at(0.5), at(0.99), at(1));
  }

  const Options& options_;
  const int epoll_;
  std::string request_;
  std::size_t id_at_ = std::string::npos;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  Clock::time_point start_;
  std::vector<double> latencies_;
  std::size_t refused_ = 0;
};

// ---- sessions

// Posts one message on a kept connection and returns the response's head.
std::string Post(int fd, const std::string& path, std::string_view extra, std::string_view body) {
  std::string request = "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  request += "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
  request.append(extra);
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request.append(body);
  SendAll(fd, request);
  std::string in;
  while (ResponseLength(in) == 0) {
    char chunk[16 << 10];
    const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) Fail("no complete answer to a POST");
    in.append(chunk, static_cast<std::size_t>(got));
  }
  return in.substr(0, in.find("\r\n\r\n") + 2);
}

// Opens the session's GET stream; the descriptor stays open until the process ends.
void OpenStream(const Options& options, const std::string& session_headers) {
  const int fd = Connect(options.port);
  SendAll(fd, "GET " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
                  "Accept: text/event-stream\r\n" + session_headers + "\r\n");
  std::string in;
  while (in.find("\r\n\r\n") == std::string::npos) {
    char chunk[4 << 10];
    const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) Fail("no answer to GET");
    in.append(chunk, static_cast<std::size_t>(got));
  }
  if (in.compare(9, 3, "200") != 0) Fail("GET was refused: " + in.substr(0, in.find("\r\n")));
}

void RunSessions(const Options& options) {
  const auto start = Clock::now();
  // A few connections, so that the sessions spread over the workers behind the port.
  std::vector<int> posts;
  for (int i = 0; i < 8; ++i) posts.push_back(Connect(options.port));
  for (int i = 0; i < options.count; ++i) {
    const int fd = posts[static_cast<std::size_t>(i) % posts.size()];
    const std::string head = Post(fd, options.path, "",
                                  R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{)"
                                  R"("protocolVersion":"2025-11-25","capabilities":{},)"
                                  R"("clientInfo":{"name":"bench","version":"1"}}})");
    const std::string_view id = Header(head, "mcp-session-id");
    if (id.empty()) Fail("initialize gave no Mcp-Session-Id");
    const std::string headers =
        "Mcp-Session-Id: " + std::string(id) + "\r\nMCP-Protocol-Version: 2025-11-25\r\n";
    Post(fd, options.path, headers, R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    if (options.streams) OpenStream(options, headers);
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  std::printf("{\"sessions\":%d,\"seconds\":%.2f}\n", options.count, took.count());
  std::fflush(stdout);
  for (char c; read(STDIN_FILENO, &c, 1) > 0;) {
  }
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  options.mode = argc > 1 ? argv[1] : "";
  for (int i = 2; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--streams") {
      options.streams = true;
      continue;
    }
    if (i + 1 == argc) Fail("a flag without its value");
    const char* value = argv[++i];
    if (flag == "--port")
      options.port = std::atoi(value);
    else if (flag == "--path")
      options.path = value;
    else if (flag == "--request")
      options.request = value;
    else if (flag == "--connections")
      options.connections = std::atoi(value);
    else if (flag == "--count")
      options.count = std::atoi(value);
    else if (flag == "--rate")
      options.rate = std::atof(value);
    else if (flag == "--seconds")
      options.seconds = std::atof(value);
    else
      Fail("unknown flag " + std::string(flag));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  if (options.mode == "paced") {
    PacedRun(options).Run();
  } else if (options.mode == "sessions") {
    RunSessions(options);
  } else {
    Fail("usage: bench_client paced|sessions --port P ... (see the top of its source)");
  }
}
