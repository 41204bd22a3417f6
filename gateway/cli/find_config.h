// Which configuration a subcommand means, and how a bad one is shown: as `switchyard check` does.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "config/config.h"
#include "config/load.h"

namespace switchyard::cli {

inline constexpr const char* kDefaultConfig = "switchyard.yaml";

// `given` if there is one, else ./switchyard.yaml if it exists.
std::optional<std::string> FindConfig(const std::string& given);
// How to come by a configuration, for who has none.
std::string ConfigLesson();

// Prints problems, one a line, and warnings. nullopt: it cannot be used. For who says more of it
// later: that goes through `expanded`.
std::optional<config::Loaded> LoadWhole(const std::string& path, std::ostream& err);
// The same, for who says nothing.
std::optional<config::Config> LoadConfig(const std::string& path, std::ostream& err);

// Where clients on this machine find what listens there, such as http://127.0.0.1:8080/mcp; on
// `port`, where that is not known from the configuration.
std::string UrlOf(const config::Listen& listen, std::uint16_t port);

}  // namespace switchyard::cli
