#include "cli/call.h"

#include <chrono>
#include <iterator>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/print.h"
#include "cli/tools.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kListTimeout{10};
constexpr std::chrono::milliseconds kAskAgain{50};

std::expected<json::object, std::string> ParseArguments(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) return std::unexpected("the arguments are not JSON: " + error.message());
  if (!value.is_object()) {
    return std::unexpected("the arguments must be a JSON object such as '{\"message\":\"hello\"}'");
  }
  return std::move(value.as_object());
}

std::string Suggestion(Client& client, const std::string& tool) {
  Result<Answer> list = ListTools(client, kListTimeout);
  if (!list || list->error) return "";
  std::vector<std::string> names;
  const json::value* tools = list->result.if_contains("tools");
  if (tools == nullptr || !tools->is_array()) return "";
  for (const json::value& value : tools->as_array()) {
    const json::object* object = value.if_object();
    const json::value* name = object == nullptr ? nullptr : object->if_contains("name");
    if (name != nullptr && name->is_string()) names.emplace_back(name->as_string());
  }
  std::string text;
  for (const std::string& near : NearestTools(tool, names)) {
    text += (text.empty() ? "did you mean " : ", ") + OneLine(near);
  }
  text += text.empty() ? "`switchyard tools` lists what there is\n" : "?\n";
  return text + MissingServers(list->result);
}

// The tool is unknown when no list has it; the gateway's words for that are its own.
bool MayBeUnknown(const RpcError& error) { return error.message.starts_with("unknown tool"); }

// Nor does a server run anything before it is up.
bool IsStarting(const RpcError& error) { return error.message.contains(" is starting, "); }

// As soon as the tool's own server is up: others may take longer.
Result<Answer> CallWhenUp(Reached& reached, const CallOptions& options, const json::object& params,
                          std::ostream& err) {
  const auto until = std::chrono::steady_clock::now() + kServersPatience;
  for (bool all_are = false;;) {
    Result<Answer> answer =
        reached.client().Request("tools/call", params, options.timeout,
                                 [&err](std::string_view method, const json::object& told) {
                                   if (method != "notifications/progress") return;
                                   err << "progress " << ProgressText(told) << "\n" << std::flush;
                                 });
    const bool again = answer && answer->error && IsStarting(*answer->error);
    if (!again || all_are || std::chrono::steady_clock::now() > until) return answer;
    all_are = reached.WaitForServers(kAskAgain);
  }
}

int Show(const Answer& answer, const CallOptions& options, std::ostream& out, std::ostream& err) {
  const json::value* type = answer.result.if_contains("resultType");
  if (type != nullptr && *type == "input_required") {
    err << "the tool asks back, which only an interactive client can answer; --json shows what\n";
    return kFailed;
  }
  out << CallText(answer.result, !options.terminal) << std::flush;
  const json::value* failed = answer.result.if_contains("isError");
  return failed != nullptr && *failed == true ? kFailed : kOk;
}

}  // namespace

int RunCall(const CallOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  std::string text = options.arguments;
  if (text == "-") text.assign(std::istreambuf_iterator<char>(in), {});
  std::expected<json::object, std::string> arguments = ParseArguments(text);
  if (!arguments) {
    err << arguments.error() << "\n";
    return kUsage;
  }
  std::expected<Reached, Unreached> reached = Reach(options.where, err);
  if (!reached) {
    err << reached.error().message << "\n";
    return reached.error().exit;
  }
  Result<Answer> answer = CallWhenUp(
      *reached, options, {{"name", options.tool}, {"arguments", std::move(*arguments)}}, err);
  if (!answer) {
    const Unreached why = Explain(answer.error(), reached->url());
    err << why.message << "\n";
    return why.exit;
  }
  if (answer->error) {
    err << "error " << answer->error->code << ": " << OneLine(answer->error->message) << "\n";
    if (MayBeUnknown(*answer->error)) {
      static_cast<void>(reached->WaitForServers(kServersPatience));  // what is meant may be theirs
      err << Suggestion(reached->client(), options.tool);
    }
    if (options.json) out << answer->raw << "\n";
    return kFailed;
  }
  if (!options.json) return Show(*answer, options, out, err);
  out << answer->raw << "\n";
  const json::value* failed = answer->result.if_contains("isError");
  return failed != nullptr && *failed == true ? kFailed : kOk;
}

}  // namespace switchyard::cli
