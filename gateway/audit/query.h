// Which records somebody looks for. Pure.
#pragma once

#include <string>

#include "audit/record.h"

namespace switchyard::audit {

// "" = whatever it is. Names are globs.
struct Filter {
  std::string principal = {};  // a subject, issuer or client
  std::string tool = {};       // or prompt, resource
  std::string server = {}, outcome = {}, event = {};
  std::string session = {};  // an id, or its name in records
  std::string rule = {}, trace = {};
  std::string acting_as = {};  // an agent of the built-in service
  std::string since = {},
              until = {};  // as in records (TimeText): from the first, and before the second

  bool Matches(const Record& record) const;
};

}  // namespace switchyard::audit
