// Which servers are up, for /readyz, for metrics and for who waits. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "admin/health.h"
#include "base/clock.h"

namespace switchyard {

namespace catalog {
class Hub;
}
namespace telemetry {
class Metrics;
}

class Readiness {
 public:
  // On the control thread, which the hub belongs to, whenever it published.
  void Note(const catalog::Hub& hub, telemetry::Metrics& metrics);

  // Until every server is up or was found down once. False: the time was not enough.
  bool WaitUntilSettled(Duration timeout);
  // The same for who must not block: told once, at once or later on the control thread.
  void OnSettled(std::function<void()> tell);
  admin::Page ReadyPage();

 private:
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool settled_ = false;
  bool was_settled_ = false;
  std::map<std::string, admin::ServerHealth> servers_;
  std::set<std::string> ever_up_;
  std::vector<std::function<void()>> waiting_;  // for settled_
};

}  // namespace switchyard
