#include "cli/find_config.h"

#include <filesystem>
#include <utility>

#include "policies/registry.h"

namespace switchyard::cli {

std::optional<std::string> FindConfig(const std::string& given) {
  if (!given.empty()) return given;
  std::error_code ignored;
  if (std::filesystem::exists(kDefaultConfig, ignored)) return kDefaultConfig;
  return std::nullopt;
}

std::string ConfigLesson() {
  return "no configuration: name one with --config FILE, or put one at ./switchyard.yaml. The\n"
         "smallest useful one:\n"
         "\n"
         "  servers:\n"
         "    example:                    # its tools are called example__<tool>\n"
         "      command: switchyard       # or your own: npx, a path, or url: https://...\n"
         "      args: [example-server]\n"
         "\n"
         "`switchyard check FILE` says what is wrong with one or what it means.\n";
}

std::optional<config::Loaded> LoadWhole(const std::string& path, std::ostream& err) {
  config::LoadResult loaded =
      config::Load(path, policies::PolicyKeys(), config::ProcessEnvironment());
  for (const config::Problem& problem : loaded ? loaded->warnings : loaded.error()) {
    err << problem.ToString() << "\n";
  }
  if (!loaded) return std::nullopt;
  return std::move(*loaded);
}

std::optional<config::Config> LoadConfig(const std::string& path, std::ostream& err) {
  std::optional<config::Loaded> loaded = LoadWhole(path, err);
  if (!loaded) return std::nullopt;
  return std::move(loaded->config);
}

std::string UrlOf(const config::Listen& listen, std::uint16_t port) {
  std::string name = listen.host;
  if (name == "0.0.0.0" || name == "localhost") name = "127.0.0.1";
  if (name == "::") name = "::1";
  if (name.contains(':')) name = "[" + name + "]";
  return (listen.tls ? "https://" : "http://") + name + ":" + std::to_string(port) + "/mcp";
}

}  // namespace switchyard::cli
