#include "cli/file_commands.h"

#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "cli/audit.h"
#include "cli/key.h"
#include "cli/pins.h"
#include "config/units.h"

namespace switchyard::cli {
namespace {

constexpr const char* kPinsHelp = R"(
Examples:
  switchyard pins list                       what is pinned of which server
  switchyard pins diff billing               what waits to be looked at: findings, and old and new
  switchyard pins accept billing charge      the present definition of this tool is the right one
  switchyard pins accept billing prompt:summary resource:file:///a instructions
  switchyard pins accept --all billing
  switchyard pins forget billing charge      as if it had never been seen
  switchyard pins move billing invoices      the server was renamed

It reads and writes the pins file of the configuration; a gateway that runs takes that at once.)";

constexpr const char* kAuditHelp = R"(
Examples:
  switchyard audit verify /var/log/switchyard/audit.jsonl --key-file audit.key
  switchyard audit verify /var/log/switchyard --json
  switchyard audit query /var/log/switchyard/audit.jsonl --principal ada --outcome denied --since 24h

FILE is the log that audit.path names (its older files are found), one of its older files, or a
directory of logs. verify's exit status: 0 whole, 1 not. What nobody can see in a log is that its
newest records are gone: keep the last hash that verify prints, and give it as --head the next time.)";

constexpr const char* kKeyHelp = R"(
Examples:
  switchyard key new ci-runner
  switchyard key new alice --expires 90d > alice.key

The key goes to stdout and nowhere else; the line for the configuration, which holds its digest
alone, goes to stderr.)";

std::string CheckDuration(const std::string& text) {
  const auto parsed = config::ParseDuration(text);
  return parsed && parsed->count() > 0 ? "" : "must be a duration such as 12h or 90d";
}

// What `action` says is what runs when the command was asked for.
template <class Action>
void Chosen(CLI::App& command, std::function<int()>& run, Action action) {
  command.callback([&run, action = std::move(action)] { run = action; });
}

void AddAuditVerify(CLI::App& command, std::function<int()>& run) {
  const auto options = std::make_shared<AuditVerifyOptions>();
  Chosen(command, run, [options] {
    options->progress = !options->json && isatty(STDERR_FILENO) == 1;
    return RunAuditVerify(*options, std::cout, std::cerr);
  });
  command.add_option("FILE", options->path, "A log, or a directory of logs")
      ->required()
      ->type_name("");
  command.add_option("--key-file", options->key_file, "What audit.key was read from")
      ->type_name("FILE");
  command.add_option("--head", options->head, "The hash of a record that must be there")
      ->type_name("HASH");
  command.add_flag("--json", options->json, "One JSON document on stdout");
}

void AddAuditQuery(CLI::App& command, std::function<int()>& run) {
  const auto options = std::make_shared<AuditQueryOptions>();
  Chosen(command, run,
         [options] { return RunAuditQuery(*options, Clock::Real(), std::cout, std::cerr); });
  command.add_option("FILE", options->path, "A log, or a directory of logs")
      ->required()
      ->type_name("");
  const auto option = [&command](const char* name, std::string& into, const char* about,
                                 const char* type) {
    command.add_option(name, into, about)->type_name(type);
  };
  option("--principal", options->principal, "By subject, issuer or client", "GLOB");
  option("--tool", options->tool, "Of a tool, prompt or resource", "GLOB");
  option("--server", options->server, "At a server", "GLOB");
  option("--outcome", options->outcome,
         "ok, tool_error, input_required, error, denied, refused, cancelled", "GLOB");
  option("--event", options->event,
         "call, refused, approval, account, pin, reload, anomaly, gap and so on", "GLOB");
  option("--session", options->session, "Of a session: its id, or its name in records", "ID");
  option("--rule", options->rule, "That a rule of authorize decided", "GLOB");
  option("--acting-as", options->acting_as, "Of an agent of the built-in service", "GLOB");
  option("--trace", options->trace, "Of a trace", "ID");
  option("--since", options->since, "From then on: 2026-01-31T12:00:00Z, or 2h ago", "TIME");
  option("--until", options->until, "Before then", "TIME");
  command.add_option("--limit", options->limit, "The newest so many; default 100, 0 = all")
      ->type_name("N");
  command.add_flag("--json", options->json, "The records as they stand in the log, one a line");
}

// The commands of pins, each on the pins file of the configuration.
class PinsCommands {
 public:
  PinsCommands(CLI::App& pins, std::function<int()>& run) : pins_(pins), run_(run) {}

  template <class Action>
  CLI::App& Add(const std::string& name, const std::string& about, Action action) {
    CLI::App& command = *pins_.add_subcommand(name, about);
    command.add_option("-c,--config", options_->config, "A configuration file")->type_name("FILE");
    Chosen(command, run_, [options = options_, action = std::move(action)] {
      options->colours = isatty(STDOUT_FILENO) == 1;
      return action(*options);
    });
    return command;
  }
  CLI::Option* AddServer(CLI::App& command) {
    return command.add_option("SERVER", options_->server, "Its name in the configuration")
        ->type_name("");
  }
  void AddItems(CLI::App& command) {
    command
        .add_option("ITEM", options_->items,
                    "A tool, prompt:NAME, resource:URI, template:URI or instructions")
        ->type_name("");
  }
  PinsOptions& options() { return *options_; }

 private:
  CLI::App& pins_;
  std::function<int()>& run_;
  const std::shared_ptr<PinsOptions> options_ = std::make_shared<PinsOptions>();
};

}  // namespace

void AddAuditCommands(CLI::App& app, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand("audit", "Check an audit log, or look into it");
  command->footer(kAuditHelp);
  command->require_subcommand(1);
  AddAuditVerify(*command->add_subcommand("verify", "Whether a log is whole: nothing changed"),
                 run);
  AddAuditQuery(*command->add_subcommand("query", "Records of a log, by who, what and when"), run);
}

void AddPinsCommands(CLI::App& app, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand(
      "pins", "What is pinned of tools and the like, and what waits to be accepted");
  command->footer(kPinsHelp);
  command->require_subcommand(1);
  PinsCommands pins(*command, run);
  CLI::App& list = pins.Add("list", "All that is known", [](const PinsOptions& options) {
    return RunPinsList(options, std::cout, std::cerr);
  });
  CLI::App& diff = pins.Add(
      "diff", "What waits: findings, and old and new line by line",
      [](const PinsOptions& options) { return RunPinsDiff(options, false, std::cout, std::cerr); });
  CLI::App& accept = pins.Add("accept", "Pin what waits", [](const PinsOptions& options) {
    return RunPinsAccept(options, Clock::Real(), std::cout, std::cerr);
  });
  CLI::App& forget = pins.Add(
      "forget", "As if it had never been seen",
      [](const PinsOptions& options) { return RunPinsForget(options, std::cout, std::cerr); });
  CLI::App& move = pins.Add(
      "move", "Give the pins of a renamed server to its new name",
      [](const PinsOptions& options) { return RunPinsMove(options, std::cout, std::cerr); });
  for (CLI::App* one : {&list, &diff}) {
    pins.AddServer(*one);
    pins.AddItems(*one);
    one->add_flag("--json", pins.options().json, "One JSON document on stdout");
  }
  for (CLI::App* one : {&accept, &forget}) {
    pins.AddServer(*one)->required();
    pins.AddItems(*one);
  }
  accept.add_flag("--all", pins.options().all, "All that waits of the server");
  accept
      .add_option("--hash", pins.options().hash, "Only what has this hash, or one that begins so")
      ->type_name("HASH");
  pins.AddServer(move)->required();
  move.add_option("TO", pins.options().to, "The new name")->required()->type_name("");
}

void AddKeyCommands(CLI::App& app, std::function<int()>& run) {
  struct Asked {
    KeyOptions key;
    std::string expires;
  };
  const auto asked = std::make_shared<Asked>();
  CLI::App* command = app.add_subcommand("key", "Make an API key");
  command->footer(kKeyHelp);
  command->require_subcommand(1);
  CLI::App& make = *command->add_subcommand("new", "Make a key and show it once");
  make.footer(kKeyHelp);
  Chosen(make, run, [asked] {
    if (!asked->expires.empty()) asked->key.expires = *config::ParseDuration(asked->expires);
    return RunKeyNew(asked->key, Clock::Real().WallNow(), std::cout, std::cerr);
  });
  make.add_option("NAME", asked->key.name, "Who is to have it, as logs and rules will call them")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(CheckKeyName, ""));
  make.add_option("--expires", asked->expires, "From now on; default never")
      ->type_name("DURATION")
      ->check(CLI::Validator(CheckDuration, ""));
}

}  // namespace switchyard::cli
