// `switchyard audit verify` and `switchyard audit query`: read a log, and change nothing.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "base/clock.h"

namespace switchyard::cli {

struct AuditVerifyOptions {
  std::string path;      // of a log, one of its files, or a directory of logs
  std::string key_file;  // "" = without a key
  std::string head;      // a hash that some record must have; "" = none
  bool json = false;
  bool progress = false;  // on stderr
};
int RunAuditVerify(const AuditVerifyOptions& options, std::ostream& out, std::ostream& err);

struct AuditQueryOptions {
  std::string path;
  std::string principal, tool, server, outcome, event, session, rule, trace, acting_as;
  std::string since, until;  // a time, or how long ago: 2h
  std::size_t limit = 100;   // the newest so many; 0 = all
  bool json = false;
};
int RunAuditQuery(const AuditQueryOptions& options, const Clock& clock, std::ostream& out,
                  std::ostream& err);

}  // namespace switchyard::cli
