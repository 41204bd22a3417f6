#include "readiness.h"

#include <utility>
#include <vector>

#include "catalog/hub.h"
#include "telemetry/metrics.h"

namespace switchyard {

void Readiness::Note(const catalog::Hub& hub, telemetry::Metrics& metrics) {
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard lock(mutex_);
    settled_ = hub.settled();
    was_settled_ |= settled_;
    if (settled_) waiting.swap(waiting_);
    std::map<std::string, admin::ServerHealth> before = std::exchange(servers_, {});
    for (const auto& [name, state] : hub.servers()) {
      metrics.SetServerUp(name, state.up);
      if (state.up && !before[name].up && !ever_up_.insert(name).second) metrics.CountRestart(name);
      servers_[name] = {.name = name, .up = state.up, .reason = state.missing_because};
    }
  }
  changed_.notify_all();
  for (const auto& tell : waiting) tell();
}

void Readiness::OnSettled(std::function<void()> tell) {
  {
    const std::lock_guard lock(mutex_);
    if (!settled_) {
      waiting_.push_back(std::move(tell));
      return;
    }
  }
  tell();
}

bool Readiness::WaitUntilSettled(Duration timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return settled_; });
}

admin::Page Readiness::ReadyPage() {
  const std::lock_guard lock(mutex_);
  std::vector<admin::ServerHealth> servers;
  servers.reserve(servers_.size());
  for (const auto& [name, server] : servers_) servers.push_back(server);
  return admin::ReadyPage(was_settled_, servers);
}

}  // namespace switchyard
