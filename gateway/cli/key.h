// `switchyard key new`: makes an API key, of which a configuration holds the digest alone.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "auth/claims.h"
#include "base/clock.h"

namespace switchyard::cli {

struct KeyOptions {
  std::string name;
  std::optional<Duration> expires = {};  // from now on
};

// The key to `out`, and to nowhere else; the line for the configuration and what to do to `err`.
int RunKeyNew(const KeyOptions& options, auth::WallTime now, std::ostream& out, std::ostream& err);

// "" = fine: letters, digits, dots, dashes and underscores, as a name reads in YAML and in a log.
std::string CheckKeyName(const std::string& name);

}  // namespace switchyard::cli
