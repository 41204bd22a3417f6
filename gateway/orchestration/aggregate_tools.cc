// The tools that sum up.
#include <utility>

#include <fmt/format.h>

#include "orchestration/statistics.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

json::object View(const QueueNumbers& numbers) {
  json::object view;
  for (int i = 0; i < kStatuses; ++i) {
    const auto status = static_cast<Status>(i);
    view[ToString(status)] = numbers.Of(status);
  }
  view["active_tasks"] = numbers.active();
  view["success_rate"] = Rate(numbers.success_rate());
  return view;
}

}  // namespace

namespace get_agent_statistics {
Result<Operation> Prepare(Arguments& arguments) {
  return Do(arguments, [](Records& records) -> Result<Answer> {
    Result<AgentNumbers> numbers = AgentsOf(records);
    if (!numbers) return Failure(std::move(numbers.error()));
    auto known = SkillsOf(records);
    if (!known) return Failure(std::move(known.error()));
    json::object skills, statuses;
    for (const auto& [name, count] : *known) skills[name] = count;
    for (const auto& [status, count] : numbers->by_status) statuses[status] = count;
    Answer answer;
    answer.content = {{"total_agents", numbers->total},
                      {"avg_success_rate", Rate(numbers->success_rate)},
                      {"by_status", std::move(statuses)},
                      {"skill_distribution", std::move(skills)}};
    if (numbers->evaluated > 0) answer.content["avg_quality"] = Rate(numbers->quality);
    answer.text =
        fmt::format("{}, success {}", Many(static_cast<std::size_t>(numbers->total), "agent"),
                    Rate(numbers->success_rate));
    return answer;
  });
}
}  // namespace get_agent_statistics

namespace get_queue_metrics {
Result<Operation> Prepare(Arguments& arguments) {
  return Do(arguments, [](Records& records) -> Result<Answer> {
    Result<QueueNumbers> numbers = QueueOf(records);
    if (!numbers) return Failure(std::move(numbers.error()));
    Answer answer{.content = View(*numbers)};
    json::object waiting;
    for (int i = 0; i < kPriorities; ++i) {
      const std::int64_t count = numbers->tasks[0][static_cast<std::size_t>(i)];
      if (count > 0) waiting[ToString(static_cast<Priority>(i))] = count;
    }
    answer.content["pending_by_priority"] = std::move(waiting);
    answer.content["oldest_pending_seconds"] = numbers->oldest_pending_ms / 1000;
    answer.text = fmt::format("{} pending", numbers->Of(Status::kPending));
    return answer;
  });
}
}  // namespace get_queue_metrics

namespace get_routing_stats {
Result<Operation> Prepare(Arguments& arguments) {
  return Do(arguments, [](Records& records) -> Result<Answer> {
    Result<RoutingNumbers> numbers = RoutingOf(records);
    if (!numbers) return Failure(std::move(numbers.error()));
    Answer answer;
    answer.content = {{"routed", numbers->routed},
                      {"unrouted", numbers->unrouted},
                      {"assigned", numbers->assigned},
                      {"leases_expired", numbers->expired},
                      {"assignment_rate", Rate(numbers->assignment_rate())}};
    answer.text = fmt::format("{} routed, {} not", numbers->routed, numbers->unrouted);
    return answer;
  });
}
}  // namespace get_routing_stats

namespace get_health {
namespace {

json::array Troubles(const QueueNumbers& queue, const AgentNumbers& agents,
                     const RoutingNumbers& routing, const HealthLimits& limits) {
  json::array why;
  const auto add = [&why](bool wrong, std::string text) {
    if (wrong) why.emplace_back(std::move(text));
  };
  add(agents.total == 0, "no agents are registered");
  add(queue.success_rate() < limits.least_success,
      fmt::format("task success {}, expected {}", Rate(queue.success_rate()),
                  Rate(limits.least_success)));
  add(queue.active() > limits.most_active,
      fmt::format("{} {} not finished, expected at most {}",
                  Many(static_cast<std::size_t>(queue.active()), "task"),
                  queue.active() == 1 ? "is" : "are", limits.most_active));
  add(agents.success_rate < limits.least_agent_success,
      fmt::format("agent success {}, expected {}", Rate(agents.success_rate),
                  Rate(limits.least_agent_success)));
  add(routing.assignment_rate() < limits.least_routed,
      fmt::format("routing success {}, expected {}", Rate(routing.assignment_rate()),
                  Rate(limits.least_routed)));
  return why;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  return Do(arguments, [](Records& records) -> Result<Answer> {
    Result<QueueNumbers> queue = QueueOf(records);
    if (!queue) return Failure(std::move(queue.error()));
    Result<AgentNumbers> agents = AgentsOf(records);
    if (!agents) return Failure(std::move(agents.error()));
    Result<RoutingNumbers> routing = RoutingOf(records);
    if (!routing) return Failure(std::move(routing.error()));
    json::array why = Troubles(*queue, *agents, *routing, records.settings.health);
    const char* const status = agents->total == 0 ? "failed" : why.empty() ? "healthy" : "degraded";
    Answer answer{.text = status};
    for (const json::value& reason : why) {
      answer.text += (answer.text == status ? ": " : "; ") + std::string(reason.get_string());
    }
    answer.content = {
        {"status", status},
        {"reasons", std::move(why)},
        {"queue",
         {{"active_tasks", queue->active()}, {"success_rate", Rate(queue->success_rate())}}},
        {"agents",
         {{"total_agents", agents->total}, {"avg_success_rate", Rate(agents->success_rate)}}}};
    return answer;
  });
}
}  // namespace get_health

}  // namespace switchyard::orchestration
