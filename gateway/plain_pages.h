// What the gateway answers that is not MCP: health, metrics, the admin API, and
// where people connect accounts. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "admin/approvals.h"
#include "base/task.h"
#include "config/config.h"
#include "connect_pages.h"
#include "edge/endpoint.h"
#include "readiness.h"
#include "telemetry/metrics.h"

namespace switchyard {

class PlainPages {
 public:
  // All of it outlives this. `control` is where what takes long is done.
  PlainPages(Executor control, telemetry::Metrics& metrics, Readiness& readiness,
             approvals::Desk& desk, ConnectPages& connect)
      : control_(control),
        metrics_(metrics),
        readiness_(readiness),
        desk_(desk),
        connect_(connect) {}

  void Configure(const config::Config& config);

  // On the thread of `worker`. nullopt: there is no such page.
  Task<std::optional<edge::PlainAnswer>> Answer(edge::PlainRequest request, Executor worker);

 private:
  Task<std::optional<admin::Page>> Admin(edge::PlainRequest request, Executor worker);
  admin::Access access() const;

  const Executor control_;
  telemetry::Metrics& metrics_;
  Readiness& readiness_;
  approvals::Desk& desk_;
  ConnectPages& connect_;
  mutable std::mutex mutex_;
  admin::Access access_;                                                 // guarded by mutex_
  std::shared_ptr<telemetry::Gauge> open_to_network_, open_to_machine_;  // of Configure() alone
};

}  // namespace switchyard
