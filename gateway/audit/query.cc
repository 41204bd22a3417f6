#include "audit/query.h"

#include "audit/event.h"
#include "base/glob.h"

namespace switchyard::audit {
namespace {

bool Fits(const std::string& glob, const std::string& text) {
  return glob.empty() || GlobMatches(glob, text);
}

}  // namespace

bool Filter::Matches(const Record& record) const {
  if (!since.empty() && record.time < since) return false;
  if (!until.empty() && record.time >= until) return false;
  if (!principal.empty() && !Fits(principal, record.subject) && !Fits(principal, record.issuer) &&
      !Fits(principal, record.client)) {
    return false;
  }
  if (!session.empty() && record.session != session && record.session != SessionName(session)) {
    return false;
  }
  return Fits(tool, record.item) && Fits(server, record.server) && Fits(outcome, record.outcome) &&
         Fits(event, record.event) && Fits(rule, record.rule) && Fits(trace, record.trace) &&
         Fits(acting_as, record.acting_as);
}

}  // namespace switchyard::audit
