// Agents that use the orchestration service, one connection each, as fast as it goes:
//
//   agents_client --port P --agents N --seconds S [--batch B]
//     Each agent creates a task (B of them in one call), claims as many, starts and completes each,
//     and begins anew. Prints one JSON object, with the latencies of each tool.
//
// One thread, epoll; Linux only, no dependencies.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <vector>

#include "client_http.h"

namespace {

using Clock = std::chrono::steady_clock;
using bench::Fail;

struct Options {
  int port = 0, agents = 1, batch = 1;
  double seconds = 1;
};

std::string Request(const std::string& tool, const std::string& arguments) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"orchestration_)" + tool +
      R"(","arguments":)" + arguments +
      R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{},)"
      R"("io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}}})";
  return "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
         "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
         "Mcp-Method: tools/call\r\nMcp-Name: orchestration_" +
         tool + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Every id of a task in a list: its own id is a number, so none is mistaken for it.
std::vector<std::string> TasksIn(std::string_view answer) {
  constexpr std::string_view kBefore = R"("id":"task_)";
  std::vector<std::string> ids;
  for (std::size_t at = answer.find(kBefore); at != std::string_view::npos;
       at = answer.find(kBefore, at + 1)) {
    const std::size_t begin = at + 6;
    ids.emplace_back(answer.substr(begin, answer.find('"', begin) - begin));
  }
  return ids;
}

struct Agent {
  int fd = -1;
  std::string name = {}, in = {}, tool = {};
  std::vector<std::string> tasks = {};  // claimed; the last is the one that it works on
  bool started = false;                 // that one
  Clock::time_point sent = {};
};

class Run {
 public:
  explicit Run(const Options& options) : options_(options), epoll_(epoll_create1(0)) {
    for (int i = 0; i < options.agents; ++i) {
      Agent agent{.fd = bench::Connect(options.port), .name = "agent" + std::to_string(i)};
      bench::SendAll(agent.fd, Request("register_agent", R"({"max_concurrent":1000,"agent_id":")" +
                                                             agent.name + "\"}"));
      while (bench::ResponseLength(agent.in) == 0) Read(agent, 0);
      if (agent.in.find(R"("isError":true)") != std::string::npos) Fail("register: " + agent.in);
      agent.in.clear();
      agents_.push_back(std::move(agent));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<std::uint32_t>(i);
      epoll_ctl(epoll_, EPOLL_CTL_ADD, agents_.back().fd, &event);
    }
  }

  void Go() {
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration<double>(options_.seconds);
    for (Agent& agent : agents_) Begin(agent);
    while (Clock::now() < end) {
      epoll_event events[64];
      const int count = epoll_wait(epoll_, events, 64, 100);
      for (int i = 0; i < count; ++i) Receive(agents_[events[i].data.u32]);
    }
    Report(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }

 private:
  static void Read(Agent& agent, int flags) {
    char chunk[64 << 10];
    const ssize_t got = recv(agent.fd, chunk, sizeof chunk, flags);
    if (got <= 0) Fail("the other side closed a connection under load");
    agent.in.append(chunk, static_cast<std::size_t>(got));
  }

  void Send(Agent& agent, const std::string& tool, const std::string& arguments) {
    agent.tool = tool;
    agent.sent = Clock::now();
    bench::SendAll(agent.fd, Request(tool, arguments));
  }

  void Begin(Agent& agent) {
    const std::string task =
        R"({"content":"Summarise the attached report in three sentences","task_type":"bench"})";
    if (options_.batch == 1) return Send(agent, "create_task", task);
    std::string tasks;
    for (int i = 0; i < options_.batch; ++i) tasks += (i == 0 ? "" : ",") + task;
    Send(agent, "create_tasks", R"({"tasks":[)" + tasks + "]}");
  }

  void Claim(Agent& agent) {
    Send(agent, "poll_tasks",
         R"({"claim":true,"fields":["id"],"limit":)" + std::to_string(options_.batch) +
             R"(,"agent_id":")" + agent.name + "\"}");
  }

  void Work(Agent& agent) {
    const std::string who =
        R"({"task_id":")" + agent.tasks.back() + R"(","agent_id":")" + agent.name + "\"";
    if (!agent.started) return Send(agent, "start_task", who + "}");
    Send(agent, "complete_task", who + R"(,"result":"done"})");
  }

  void Receive(Agent& agent) {
    Read(agent, MSG_DONTWAIT);
    if (bench::ResponseLength(agent.in) == 0) return;
    const std::chrono::duration<double, std::micro> took = Clock::now() - agent.sent;
    took_[agent.tool].push_back(took.count());
    if (agent.in.compare(9, 3, "200") != 0 ||
        agent.in.find(R"("isError":true)") != std::string::npos) {
      Fail(agent.tool + " was refused: " + agent.in.substr(0, 600));
    }
    const std::string answer = std::move(agent.in);
    agent.in.clear();
    Next(agent, answer);
  }

  void Next(Agent& agent, const std::string& answer) {
    if (agent.tool.starts_with("create")) return Claim(agent);
    if (agent.tool == "poll_tasks") {
      agent.tasks = TasksIn(answer);
      if (agent.tasks.empty()) Fail("there was nothing to claim");
      agent.started = false;
      return Work(agent);
    }
    agent.started = !agent.started;
    if (!agent.started) {
      ++completed_;
      agent.tasks.pop_back();
      if (agent.tasks.empty()) return Begin(agent);
    }
    Work(agent);
  }

  static double At(std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  }

  void Report(double duration_us) {
    std::vector<double> all;
    std::string each;
    for (auto& [tool, times] : took_) {
      std::sort(times.begin(), times.end());
      all.insert(all.end(), times.begin(), times.end());
      char text[200];
      std::snprintf(text, sizeof text, ",\"%s\":{\"n\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f}",
                    tool.c_str(), times.size(), At(times, 0.5), At(times, 0.99));
      each += text;
    }
    if (all.empty()) Fail("no reply at all");
    std::sort(all.begin(), all.end());
    std::printf(
        "{\"requests\":%zu,\"refused\":0,\"duration_us\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
        "\"completed\":%zu%s}\n",
        all.size(), duration_us, At(all, 0.5), At(all, 0.99), completed_, each.c_str());
  }

  const Options& options_;
  const int epoll_;
  std::vector<Agent> agents_;
  std::map<std::string, std::vector<double>> took_;  // by tool, microseconds
  std::size_t completed_ = 0;
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (i + 1 == argc) Fail("a flag without its value");
    const char* value = argv[++i];
    if (flag == "--port")
      options.port = std::atoi(value);
    else if (flag == "--agents")
      options.agents = std::atoi(value);
    else if (flag == "--batch")
      options.batch = std::atoi(value);
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
  Run(options).Go();
}
