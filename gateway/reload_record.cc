#include "reload_record.h"

#include <string>
#include <vector>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "config/digest.h"

namespace switchyard {

void TellReload(audit::Sink& sink, const Clock& clock, const config::Config& before,
                const config::Config& after) {
  spdlog::info("reloaded: {} servers, {} endpoints", after.servers.size(),
               after.endpoints.size() + 1);
  if (!sink.on()) return;
  const std::vector<std::string> changed = config::ChangedBetween(before, after);
  sink.Note({.kind = audit::Event::Kind::kReload,
             .time = clock.WallNow(),
             .configuration = config::DigestOf(after),
             .configuration_before = config::DigestOf(before),
             .changed = fmt::format("{}", fmt::join(changed, ", ")),
             .decision = "reloaded",
             .approver = "operator"});
}

}  // namespace switchyard
