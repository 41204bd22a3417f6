#include "cli/approvals.h"

#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/admin_api.h"
#include "cli/print.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kApprovalsPath = "/admin/approvals";

AdminOptions AdminOf(const ApprovalsOptions& options) {
  return {.where = options.where, .token = options.token};
}

std::string WhoOf(const json::object& approval) {
  const json::value* caller = approval.if_contains("caller");
  if (caller == nullptr || !caller->is_object()) return "somebody";
  const std::string subject = Text(caller->get_object(), "subject");
  return subject.empty() ? "somebody who proved nothing" : subject;
}

// The arguments have lines of their own; the gateway made all of them visible.
std::string Indented(const json::object& approval) {
  const json::value* value = approval.if_contains("arguments");
  if (value == nullptr || !value->is_string()) return "";
  std::string out, line;
  const auto end = [&] {
    out += "    " + OneLine(line) + "\n";
    line.clear();
  };
  for (const char c : value->get_string()) {
    if (c == '\n') {
      end();
    } else {
      line += c;
    }
  }
  end();
  return out;
}

void ShowApproval(const json::object& approval, std::ostream& out) {
  out << Text(approval, "id") << "  " << Text(approval, "state") << "  until "
      << Text(approval, "expires") << "\n";
  out << "  " << WhoOf(approval) << " calls " << Text(approval, "exposed") << " at "
      << Text(approval, "endpoint") << " (tool " << Text(approval, "tool") << " of server "
      << Text(approval, "server") << "), by rule " << Text(approval, "rule") << "\n";
  if (const std::string by = Text(approval, "by"); !by.empty()) {
    const std::string reason = Text(approval, "reason");
    out << "  by " << by << (reason.empty() ? "" : ": " + reason) << "\n";
  }
  out << Indented(approval);
}

}  // namespace

int RunApprovals(const ApprovalsOptions& options, std::ostream& out, std::ostream& err) {
  int exit = kOk;
  const std::optional<std::string> body =
      AskAdmin(AdminOf(options), {.path = std::string(kApprovalsPath)}, "approvals", err, exit);
  if (!body) return exit;
  if (options.json) {
    out << *body << "\n";
    return kOk;
  }
  return ShowList(
      *body, "approvals", "nothing waits for approval",
      [&out](const json::object& one) { ShowApproval(one, out); }, out, err);
}

int RunApprove(const ApproveOptions& options, std::ostream& out, std::ostream& err) {
  const bool is_id =
      !options.id.empty() && options.id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_id) {
    err << "ID must be one that `switchyard approvals` shows, got " << OneLine(options.id) << "\n";
    return kUsage;
  }
  json::object decision{{"decision", options.deny ? "deny" : "approve"}};
  if (!options.reason.empty()) decision["reason"] = options.reason;
  if (!options.by.empty()) decision["by"] = options.by.substr(0, 64);
  int exit = kOk;
  const std::optional<std::string> body = AskAdmin(
      AdminOf(options.gateway),
      {.path = std::string(kApprovalsPath) + "/" + options.id, .body = json::serialize(decision)},
      "approvals", err, exit);
  if (!body) return exit;
  if (options.gateway.json) {
    out << *body << "\n";
  } else {
    out << (options.deny ? "denied " : "approved ") << options.id << "\n";
  }
  return kOk;
}

}  // namespace switchyard::cli
