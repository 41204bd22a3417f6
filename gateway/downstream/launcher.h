// Turns what the configuration says of a child into a running one: finds the program, builds its
// environment, spawns it and puts its process group under the guardian's eye.
//
// A child's environment is small on purpose, so that the gateway's own secrets stay here: of ours
// it gets PATH, HOME, USER, LOGNAME, SHELL, TERM, LANG, LC_*, TZ, TMPDIR, XDG_*, the proxy
// variables and where certificates are; the configured `env` comes on top.
#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "downstream/guardian.h"

namespace switchyard::downstream {

struct ProgramSpec {
  std::string server = {};                  // config name, for messages
  std::string command = {};                 // `switchyard` = the gateway's own binary
  std::vector<std::string> arguments = {};  // without the program's name
  std::map<std::string, std::string> environment = {};
  std::string cwd = {};  // "" = ours
};

// A child just born. Whoever holds it must wait for `pid` and then Unwatch the group (process.h
// does).
struct Launched {
  pid_t pid = -1;
  // Its stdin and stdout: ends of two socket pairs, five times as fast as pipes. One pair for both
  // would hide that the child has closed one of them.
  Fd input;   // we write
  Fd output;  // we read
  Fd errors;  // its stderr: the reading end of a pipe
};

// Thread-safe. Outlives all children.
class Launcher {
 public:
  struct Options {
    std::string own_binary = "";                // "" = this executable
    std::vector<std::string> environment = {};  // the gateway's own, "NAME=value"
  };
  explicit Launcher(Options options);

  // Errors name the key of the configuration: `servers.x.command: not found: npx; ...`.
  Result<Launched> Launch(const ProgramSpec& spec);

  Guardian& guardian() { return guardian_; }

  // The calling process' environment; not thread-safe against setenv().
  static std::vector<std::string> ProcessEnvironment();

 private:
  std::map<std::string, std::string> EnvironmentFor(const ProgramSpec& spec) const;
  Result<std::string> FindProgram(const ProgramSpec& spec, const std::string& path) const;

  const std::string own_binary_;
  const std::map<std::string, std::string> inherited_;
  Guardian guardian_;
};

}  // namespace switchyard::downstream
