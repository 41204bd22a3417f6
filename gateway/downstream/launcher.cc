#include "downstream/launcher.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "downstream/spawn.h"

namespace switchyard::downstream {
namespace {

constexpr std::string_view kOwnName = "switchyard";
constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

constexpr std::array<std::string_view, 21> kInherited = {"PATH",
                                                         "HOME",
                                                         "USER",
                                                         "LOGNAME",
                                                         "SHELL",
                                                         "TERM",
                                                         "LANG",
                                                         "TZ",
                                                         "TMPDIR",
                                                         "HTTP_PROXY",
                                                         "HTTPS_PROXY",
                                                         "NO_PROXY",
                                                         "ALL_PROXY",
                                                         "http_proxy",
                                                         "https_proxy",
                                                         "no_proxy",
                                                         "all_proxy",
                                                         "SSL_CERT_FILE",
                                                         "SSL_CERT_DIR",
                                                         "NODE_EXTRA_CA_CERTS",
                                                         "REQUESTS_CA_BUNDLE"};

bool IsInherited(std::string_view name) {
  return std::ranges::find(kInherited, name) != kInherited.end() || name.starts_with("LC_") ||
         name.starts_with("XDG_");
}

std::map<std::string, std::string> Inherited(const std::vector<std::string>& environment) {
  std::map<std::string, std::string> kept;
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    std::string name = entry.substr(0, equals);
    if (IsInherited(name)) kept.emplace(std::move(name), entry.substr(equals + 1));
  }
  return kept;
}

enum class Found { kNothing, kNotExecutable, kProgram };

Found Look(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return Found::kNothing;
  return ::access(path.c_str(), X_OK) == 0 ? Found::kProgram : Found::kNotExecutable;
}

std::unexpected<Error> Refusal(const ProgramSpec& spec, std::string_view key, std::string text) {
  return Failure(Code::kUnavailable, Origin::kGateway,
                 "servers." + spec.server + "." + std::string(key) + ": " + std::move(text));
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

std::vector<std::string> Launcher::ProcessEnvironment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    all.emplace_back(*entry);
  }
  return all;
}

Launcher::Launcher(Options options)
    : own_binary_(options.own_binary.empty() ? "/proc/self/exe" : options.own_binary),
      inherited_(Inherited(options.environment)),
      guardian_(own_binary_) {}

std::map<std::string, std::string> Launcher::EnvironmentFor(const ProgramSpec& spec) const {
  std::map<std::string, std::string> environment = spec.environment;
  environment.insert(inherited_.begin(), inherited_.end());  // what is configured stays
  environment.emplace("PATH", kDefaultPath);
  environment.insert_or_assign(std::string(Guardian::kMarkName), guardian_.mark());
  return environment;
}

Result<std::string> Launcher::FindProgram(const ProgramSpec& spec, const std::string& path) const {
  const std::string& command = spec.command;
  if (command == kOwnName) return own_binary_;
  if (command.contains('/')) {
    const bool relative = !command.starts_with('/') && !spec.cwd.empty();
    const std::string full = relative ? spec.cwd + "/" + command : command;
    switch (Look(full)) {
      case Found::kProgram: return command;
      case Found::kNotExecutable: return Refusal(spec, "command", "not executable: " + full);
      case Found::kNothing: return Refusal(spec, "command", "not found: " + full);
    }
  }
  std::string refused;
  for (const auto part : path | std::views::split(':')) {
    const std::string_view directory(part);
    if (directory.empty()) continue;  // means the working directory: never what an operator wants
    std::string candidate = std::string(directory) + "/" + command;
    const Found found = Look(candidate);
    if (found == Found::kProgram) return candidate;
    if (found == Found::kNotExecutable && refused.empty()) refused = std::move(candidate);
  }
  if (!refused.empty()) return Refusal(spec, "command", "not executable: " + refused);
  return Refusal(spec, "command", "not found: " + command + "; install it or give the full path");
}

Result<Launched> Launcher::Launch(const ProgramSpec& spec) {
  if (!spec.cwd.empty() && !IsDirectory(spec.cwd)) {
    return Refusal(spec, "cwd", "not a directory: " + spec.cwd);
  }
  const std::map<std::string, std::string> environment = EnvironmentFor(spec);
  Result<std::string> program = FindProgram(spec, environment.at("PATH"));
  if (!program) return Failure(std::move(program.error()));
  if (Result<void> guarded = guardian_.Ensure(); !guarded) {
    return Failure(std::move(guarded.error()).In("server " + spec.server));
  }
  Result<FdPair> input = MakeSocketPair(SOCK_STREAM);
  if (!input) return Failure(std::move(input.error()).In("server " + spec.server));
  Result<FdPair> output = MakeSocketPair(SOCK_STREAM);
  if (!output) return Failure(std::move(output.error()).In("server " + spec.server));
  Result<FdPair> errors = MakePipe();
  if (!errors) return Failure(std::move(errors.error()).In("server " + spec.server));

  SpawnPlan plan;
  plan.path = *program;
  plan.arguments = {spec.command};
  plan.arguments.insert(plan.arguments.end(), spec.arguments.begin(), spec.arguments.end());
  for (const auto& [name, value] : environment) plan.environment.push_back(name + "=" + value);
  plan.cwd = spec.cwd;
  plan.input = input->theirs.get();
  plan.output = output->theirs.get();
  plan.error = errors->theirs.get();
  Result<pid_t> pid = SpawnChild(plan);
  if (!pid) {
    return Refusal(spec, "command", "cannot run " + *program + ": " + pid.error().message);
  }
  guardian_.Watch(*pid);
  return Launched{.pid = *pid,
                  .input = std::move(input->ours),
                  .output = std::move(output->ours),
                  .errors = std::move(errors->ours)};
}

}  // namespace switchyard::downstream
