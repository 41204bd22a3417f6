#include "reload_record.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "config/digest.h"

namespace switchyard {
namespace {

audit::Event Reloaded(const Clock& clock, const config::Config& before,
                      const config::Config& after) {
  const std::vector<std::string> changed = config::ChangedBetween(before, after);
  return {.kind = audit::Event::Kind::kReload,
          .time = clock.WallNow(),
          .configuration = config::DigestOf(after),
          .configuration_before = config::DigestOf(before),
          .changed = fmt::format("{}", fmt::join(changed, ", ")),
          .decision = "reloaded",
          .approver = "operator"};
}

}  // namespace

Result<void> StartAudit(audit::Log& log, const Clock& clock, const config::Config& config) {
  if (Result<void> on = log.Configure(config.audit); !on || !log.on()) return on;
  log.Note({.kind = audit::Event::Kind::kReload,
            .time = clock.WallNow(),
            .configuration = config::DigestOf(config),
            .decision = "started",
            .approver = "operator"});
  return {};
}

Result<void> SwitchAudit(audit::Log& log, const Clock& clock, const config::Config& before,
                         const config::Config& after) {
  const bool last = log.on() && after.audit.path.empty();
  if (last) log.Note(Reloaded(clock, before, after));
  Result<void> on = log.Configure(after.audit);
  if (!on && last) {
    audit::Event back = Reloaded(clock, after, before);
    back.decision = "undone";
    log.Note(std::move(back));
  }
  return on;
}

void TellReload(audit::Sink& sink, const Clock& clock, const config::Config& before,
                const config::Config& after) {
  spdlog::info("reloaded: {} servers, {} endpoints", after.servers.size(),
               after.endpoints.size() + 1);
  if (sink.on()) sink.Note(Reloaded(clock, before, after));
}

}  // namespace switchyard
