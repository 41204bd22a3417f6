#include "base/worker_timers.h"

#include <boost/asio/execution_context.hpp>

namespace switchyard {
namespace {

class WorkerTimers final : public net::execution_context::service {
 public:
  using key_type = WorkerTimers;
  static inline net::execution_context::id id;

  explicit WorkerTimers(net::execution_context& context, const Clock& clock = Clock::Real())
      : service(context), timers(static_cast<net::io_context&>(context), clock) {}

  Timers timers;

 private:
  // Handles in coroutines that are destroyed with the context are still valid here; the timers go
  // after them, with the service itself.
  void shutdown() override {}
};

}  // namespace

Timers& TimersOf(const Executor& executor, const Clock& clock) {
  net::execution_context& context = executor.context();
  if (!net::has_service<WorkerTimers>(context)) {
    return net::make_service<WorkerTimers>(context, clock).timers;
  }
  return net::use_service<WorkerTimers>(context).timers;
}

void DisarmTimersOf(const Executor& executor) {
  net::execution_context& context = executor.context();
  if (net::has_service<WorkerTimers>(context))
    net::use_service<WorkerTimers>(context).timers.Disarm();
}

}  // namespace switchyard
