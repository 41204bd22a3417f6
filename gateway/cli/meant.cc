#include "cli/meant.h"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/problem.h"
#include "config/text_check.h"

namespace switchyard::cli {
namespace {

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  // Those of no group are for the gateway itself.
  return app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

std::string Unknown(const std::string& kind, const std::string& word, const CLI::App& of,
                    const std::vector<std::string>& known) {
  const bool top = of.get_parent() == nullptr;
  const std::string hint = config::DidYouMean(word, known);
  return "there is no " + kind + " " + config::Printable(word) +
         (top ? "" : " of " + of.get_name()) + hint + (hint.empty() ? "; `" : " `") + "switchyard" +
         (top ? "" : " " + of.get_name()) + " --help` lists them";
}

}  // namespace

std::string Meant(const CLI::App& app, std::span<char* const> words) {
  const CLI::App* command = &app;
  for (const std::string word : words) {
    if (word == "--") break;
    if (word.starts_with("--")) {
      const std::string option = word.substr(0, word.find('='));
      const std::vector<std::string> options = OptionsOf(*command);
      if (std::ranges::find(options, option) != options.end()) continue;
      return Unknown("option", option, *command, options);
    }
    const std::vector<const CLI::App*> commands = CommandsOf(*command);
    const auto found = std::ranges::find(commands, word, &CLI::App::get_name);
    if (found != commands.end()) {
      command = *found;
    } else if (!commands.empty() && !word.starts_with('-')) {
      std::vector<std::string> names;
      names.reserve(commands.size());
      for (const CLI::App* one : commands) names.push_back(one->get_name());
      return Unknown("command", word, *command, names);
    }
  }
  return "";
}

}  // namespace switchyard::cli
