// Flags and subcommands (of audit, pins and key: cli/file_commands.cc); what they do is in cli/.
#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "audit/log_file.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/approvals.h"
#include "cli/call.h"
#include "cli/check_as.h"
#include "cli/connections.h"
#include "cli/exit.h"
#include "cli/file_commands.h"
#include "cli/health.h"
#include "cli/meant.h"
#include "cli/pins.h"
#include "cli/serve.h"
#include "cli/tools.h"
#include "config/check.h"
#include "config/units.h"
#include "downstream/guardian.h"
#include "example_server.h"
#include "orchestration_room.h"
#include "pin_keeper.h"
#include "policies/registry.h"
#include "policy_store.h"
#include "server_config.h"

namespace {

using namespace switchyard;

constexpr const char* kAbout =
    "One MCP endpoint over many MCP servers: an agent points at one URL and uses the tools, "
    "prompts\n"
    "and resources of all of them, whatever revision of the protocol each side speaks.";

constexpr const char* kFooter = R"(
Start here:
  switchyard serve --config config/minimal.yaml     serve; prints a call and a client snippet to paste
  switchyard tools                                  what the running gateway offers
  switchyard call example__echo '{"message":"hi"}'  call a tool of it

Exit status: 0 fine; 1 refused, failed, or the tool reports an error; 2 wrong usage; 3 no gateway there.
`switchyard COMMAND --help` shows examples for each command.)";

constexpr const char* kServeHelp = R"(
Examples:
  switchyard serve                                   ./switchyard.yaml
  switchyard serve --config my.yaml --listen 127.0.0.1:0
  switchyard serve --config my.yaml --stdio          for a client that starts its servers itself

Signals: SIGTERM and SIGINT end it gracefully, a second one at once. SIGHUP, or saving the file,
reloads the configuration; a file with errors is refused whole and the old one stays.)";

constexpr const char* kCheckHelp = R"(
Examples:
  switchyard check my.yaml            what is wrong, all of it at once, or what it means
  switchyard check my.yaml --json     the same for programs; secrets are never shown
  switchyard check my.yaml --explain billing__delete_invoice --endpoint team
                                      which policies a call of it meets there, and which line of
                                      the file set each value; billing/delete_invoice is the same
  switchyard check my.yaml --as '{subject: ada, roles: [dev]}' billing__delete_invoice '{"id":7}'
                                      whether she may, and what each rule of authorize says; the
                                      caller is anonymous, a subject, or what it proved;
                                      --capability deploy: as if its agents could do that)";

constexpr const char* kWhere = R"(
Without --config and --url: ./switchyard.yaml, else http://127.0.0.1:8080/mcp. With a configuration
the gateway at its address is used; if none runs there, one is started for the time of the command.)";

constexpr const char* kToolsHelp = R"(
Examples:
  switchyard tools                                  of the gateway that runs here
  switchyard tools --config my.yaml                 try a configuration
  switchyard tools --url http://10.0.0.5:8080/mcp/reading --json
  switchyard tools --quarantined                    what changed or looks bad, old and new
)";

constexpr const char* kCallHelp = R"(
Examples:
  switchyard call example__time
  switchyard call example__count '{"to":3,"interval_ms":200}'
  echo '{"message":"hi"}' | switchyard call example__echo - --json

Texts go to stdout as they are, structured content as JSON, progress to stderr.
)";

constexpr const char* kApproveHelp = R"(
Examples:
  switchyard approvals                              what waits, with its arguments
  switchyard approve 3f2a...                        the call may run, once
  switchyard approve 3f2a... --deny --reason "not on fridays"

The token is that of admin.token in the configuration, if there is one.)";

constexpr const char* kConnectionsHelp = R"(
Examples:
  switchyard connections                            whose accounts are connected, to which servers
  switchyard connections --connect notes            a link for the gateway's own account there
  switchyard connections --forget notes --issuer https://login.example.com --subject alice

The token is that of admin.token in the configuration, if there is one.)";

constexpr const char* kHealthHelp = R"(
Examples:
  switchyard health                        ready? which servers are up? exit status 0, 1 or 3
  switchyard health --url http://10.0.0.5:8080/mcp --json)";

// Of the terminal that stdout is; 0 = it is none.
std::size_t TerminalWidth() {
  winsize size{};
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

std::string CheckDuration(const std::string& text) {
  const auto parsed = config::ParseDuration(text);
  return parsed && parsed->count() > 0 ? "" : "must be a duration such as 500ms, 30s or 5m";
}

void AddWhere(CLI::App& command, cli::Where& where) {
  CLI::Option* config =
      command.add_option("-c,--config", where.config, "A configuration file")->type_name("FILE");
  command.add_option("-u,--url", where.url, "The /mcp URL of a running gateway")
      ->type_name("URL")
      ->excludes(config);
  command.add_option("--token", where.token, "Who you are; default $SWITCHYARD_TOKEN")
      ->type_name("TOKEN")
      ->envname("SWITCHYARD_TOKEN");
}

// What the files that a configuration names leave to be said.
std::optional<config::Problem> Problem(const config::Config& config) {
  if (std::optional<config::Problem> problem = StateProblem(config)) return problem;
  if (std::optional<config::Problem> problem = OrchestrationProblem(config)) return problem;
  if (std::optional<config::Problem> problem = AuthProblem(config)) return problem;
  const Result<void> pins = PinKeeper::Inspect(config);
  if (!pins) {
    return config::Problem{.file = {}, .at = {}, .path = "pins", .message = pins.error().message};
  }
  const Result<void> audit = audit::LogFile::Inspect(config.audit);
  if (audit) return std::nullopt;
  return config::Problem{
      .file = {}, .at = {}, .path = "audit.path", .message = audit.error().message};
}

class Program {
 public:
  explicit Program(std::string name) : name_(std::move(name)), app_(kAbout, "switchyard") {
    app_.set_version_flag("--version", "switchyard " SWITCHYARD_VERSION);
    app_.require_subcommand(1);
    app_.footer(kFooter);
    AddServe();
    AddCheck();
    AddTools();
    AddCall();
    cli::AddPinsCommands(app_, run_);
    AddHealth();
    AddApprovals();
    AddConnections();
    cli::AddAuditCommands(app_, run_);
    cli::AddKeyCommands(app_, run_);
    AddHelpers();
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
      const std::string meant = words.empty() ? "" : cli::Meant(app_, words.subspan(1));
      if (error.get_exit_code() != 0 && !meant.empty()) {
        std::cerr << meant << "\n";
        return cli::kUsage;
      }
      return app_.exit(error) == 0 ? cli::kOk : cli::kUsage;
    }
    return run_();
  }

 private:
  CLI::App* Add(const std::string& name, const std::string& about, const std::string& help,
                std::function<int()> run) {
    CLI::App* command = app_.add_subcommand(name, about);
    command->footer(help);
    command->callback([this, run = std::move(run)] { run_ = run; });
    return command;
  }

  void AddServe() {
    serve_.program = name_;
    CLI::App* command = Add("serve", "Serve what a configuration says, until a signal", kServeHelp,
                            [this] { return cli::RunServe(serve_); });
    command
        ->add_option("-c,--config", serve_.config, "The configuration; default ./switchyard.yaml")
        ->type_name("FILE");
    command->add_option("-l,--listen", serve_.listen, "Instead of the configuration's address")
        ->type_name("HOST:PORT");
    command->add_option("-w,--workers", serve_.workers, "Threads; default one a core")
        ->type_name("N")
        ->check(CLI::Range(1, 256));
    command->add_flag("--stdio", serve_.stdio,
                      "Serve one client on stdin and stdout; no port unless --listen is given");
  }

  void AddCheck() {
    CLI::App* command = Add(
        "check", "Say what is wrong with a configuration, or what it means", kCheckHelp, [this] {
          if (!check_as_.caller.empty()) return RunCheckAs();
          if (!explain_.endpoint.empty() && explain_.tool.empty()) {
            std::cerr << "--endpoint goes with --explain or --as\n";
            return int{cli::kUsage};
          }
          return config::RunCheck(check_file_, json_, std::cout, std::cerr, policies::PolicyKeys(),
                                  config::ProcessEnvironment(), explain_, Problem);
        });
    command->add_option("FILE", check_file_, "The configuration")->required()->type_name("");
    command->add_flag("--json", json_, "One JSON document on stdout");
    CLI::Option* tool = command->add_option(
        "--explain", explain_.tool, "The policies of a tool, and where each value came from");
    tool->type_name("TOOL");
    command->add_option("--endpoint", explain_.endpoint, "As called there; default /mcp")
        ->type_name("NAME");
    CLI::Option* as = command->add_option(
        "--as", check_as_.caller, "Whether a caller may call TOOL, and what each rule says");
    as->type_name("CALLER")->excludes(tool);
    CLI::Option* called = command->add_option("TOOL", check_as_.tool, "With --as")->type_name("");
    command->add_option("ARGUMENTS", check_as_.arguments, "With --as: a JSON object; default {}")
        ->type_name("");
    command
        ->add_option("--capability", check_as_.capabilities,
                     "With --as: as if an agent of the caller were registered with it")
        ->type_name("WORD")
        ->allow_extra_args(false)
        ->needs(as);
    as->needs(called);
    called->needs(as);
  }

  int RunCheckAs() {
    check_as_.file = check_file_;
    check_as_.endpoint = explain_.endpoint;
    check_as_.json = json_;
    return cli::RunCheckAs(check_as_, config::ProcessEnvironment(), Clock::Real(), std::cout,
                           std::cerr);
  }

  void AddTools() {
    CLI::App* command =
        Add("tools", "List the tools of a gateway, and the servers that are missing",
            std::string(kToolsHelp) + kWhere, [this] {
              if (quarantined_) {
                cli::PinsOptions pins;
                pins.config = where_.config;
                pins.json = json_;
                return cli::RunPinsDiff(pins, true, std::cout, std::cerr);
              }
              return cli::RunTools({.where = where_, .json = json_, .width = TerminalWidth()},
                                   std::cout, std::cerr);
            });
    AddWhere(*command, where_);
    command->add_flag("--json", json_, "The result as the gateway sent it");
    command
        ->add_flag("--quarantined", quarantined_,
                   "Those that changed or look bad, by the pins file of the configuration")
        ->excludes("--url");
  }

  void AddCall() {
    CLI::App* command = Add("call", "Call a tool", std::string(kCallHelp) + kWhere, [this] {
      call_.where = where_;
      call_.json = json_;
      call_.terminal = isatty(STDOUT_FILENO) == 1;
      call_.timeout = *config::ParseDuration(timeout_);
      return cli::RunCall(call_, std::cin, std::cout, std::cerr);
    });
    command->add_option("TOOL", call_.tool, "Its name, as `switchyard tools` shows it")
        ->required()
        ->type_name("");
    command->add_option("ARGUMENTS", call_.arguments, "A JSON object; - reads it from stdin")
        ->type_name("");
    AddWhere(*command, where_);
    command->add_option("--timeout", timeout_, "How long to wait; default 30s")
        ->type_name("DURATION")
        ->check(CLI::Validator(CheckDuration, ""));
    command->add_flag("--json", json_, "The result as the gateway sent it");
  }

  void AddHealth() {
    CLI::App* command = Add(
        "health", "Ask a running gateway whether it is ready", kHealthHelp,
        [this] { return cli::RunHealth({.where = where_, .json = json_}, std::cout, std::cerr); });
    AddWhere(*command, where_);
    command->add_flag("--json", json_, "What /readyz says, as it is");
  }

  void AddApprovals() {
    const auto add = [this](CLI::App& command) {
      AddWhere(command, approve_.gateway.where);
      command.add_option("--admin-token", approve_.gateway.token, "Of the admin API")
          ->type_name("TOKEN")
          ->envname("SWITCHYARD_ADMIN_TOKEN");
      command.add_flag("--json", approve_.gateway.json, "What the gateway says, as it is");
    };
    add(*Add("approvals", "Show the calls that wait for a person", kApproveHelp,
             [this] { return cli::RunApprovals(approve_.gateway, std::cout, std::cerr); }));
    CLI::App* command = Add("approve", "Let a call that waits run, or not", kApproveHelp,
                            [this] { return cli::RunApprove(approve_, std::cout, std::cerr); });
    add(*command);
    command->add_option("ID", approve_.id, "As `switchyard approvals` shows it")
        ->required()
        ->type_name("");
    command->add_flag("--deny", approve_.deny, "It must not run");
    command->add_option("--reason", approve_.reason, "What its caller is told")->type_name("TEXT");
    command->add_option("--by", approve_.by, "Who decides, for the record; default $USER")
        ->type_name("NAME")
        ->envname("USER");
  }

  void AddConnections() {
    CLI::App* command =
        Add("connections", "Show the accounts that users connected to servers", kConnectionsHelp,
            [this] { return cli::RunConnections(connections_, std::cout, std::cerr); });
    AddWhere(*command, connections_.gateway.where);
    command->add_option("--admin-token", connections_.gateway.token, "Of the admin API")
        ->type_name("TOKEN")
        ->envname("SWITCHYARD_ADMIN_TOKEN");
    command->add_flag("--json", connections_.json, "What the gateway says, as it is");
    CLI::Option* connect =
        command
            ->add_option("--connect", connections_.connect,
                         "A link for the account that the gateway's own requests go by")
            ->type_name("SERVER");
    CLI::Option* forget =
        command->add_option("--forget", connections_.forget, "Forget a connection to this server")
            ->type_name("SERVER")
            ->excludes(connect);
    for (const auto& [name, into] : {std::pair("--issuer", &connections_.issuer),
                                     std::pair("--subject", &connections_.subject)}) {
      command->add_option(name, *into, "Whose; default: the gateway's own")
          ->type_name("TEXT")
          ->needs(forget);
    }
  }

  void AddHelpers() {
    Add("example-server", "A small MCP server on stdin and stdout, to try things with", "",
        [] { return RunExampleServer(STDIN_FILENO, STDOUT_FILENO); });
    Add("version", "Print the version", "", [] {
      std::cout << "switchyard " SWITCHYARD_VERSION "\n";
      return int{cli::kOk};
    });
    // Started by the gateway itself; an empty group keeps it out of the help.
    Add("guardian", "", "", [] { return downstream::RunGuardian(STDIN_FILENO); })->group("");
  }

  const std::string name_;
  CLI::App app_;
  std::function<int()> run_;
  cli::ServeOptions serve_;
  cli::CallOptions call_;
  cli::ApproveOptions approve_;
  cli::ConnectionsOptions connections_;
  cli::Where where_;
  config::ExplainRequest explain_;
  cli::CheckAsOptions check_as_;
  std::string check_file_, timeout_ = "30s";
  bool json_ = false, quarantined_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  OpenStandardDescriptors();
  // A client or a reader of stdout that goes away is an error of one write, not our end.
  std::signal(SIGPIPE, SIG_IGN);
  Program program(argc > 0 ? argv[0] : "switchyard");
  return program.Run(argc, argv);
}
