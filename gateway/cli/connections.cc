#include "cli/connections.h"

#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/exit.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr const char* kConnectionsPath = "/admin/connections";

std::string BodyOf(const ConnectionsOptions& options) {
  json::object body;
  if (!options.connect.empty()) {
    body = {{"server", options.connect}, {"action", "connect"}};
  } else if (!options.forget.empty()) {
    body = {{"server", options.forget}, {"action", "forget"}};
    if (!options.subject.empty()) {
      body["caller"] = json::object{{"issuer", options.issuer}, {"subject", options.subject}};
    }
  }
  return body.empty() ? "" : json::serialize(body);
}

void ShowConnection(const json::object& one, std::ostream& out) {
  const json::value* caller = one.if_contains("caller");
  out << Text(one, "server") << "  ";
  if (caller != nullptr && caller->is_object()) {
    const json::object& who = caller->get_object();
    out << Text(who, "subject") << " of " << Text(who, "issuer");
  } else {
    out << "the gateway itself";
  }
  out << "  by " << Text(one, "issuer") << "\n";
}

}  // namespace

int RunConnections(const ConnectionsOptions& options, std::ostream& out, std::ostream& err) {
  if (options.issuer.empty() != options.subject.empty()) {
    err << "--issuer and --subject belong together: two issuers may each have an alice\n";
    return kUsage;
  }
  int exit = kOk;
  const std::optional<std::string> body =
      AskAdmin(options.gateway, {.path = kConnectionsPath, .body = BodyOf(options)}, "connections",
               err, exit);
  if (!body) return exit;
  if (options.json) {
    out << *body << "\n";
    return kOk;
  }
  if (!options.connect.empty()) {
    boost::system::error_code error;
    const json::value value = json::parse(*body, error);
    if (error || !value.is_object()) {
      err << "what answers is no gateway\n";
      return kFailed;
    }
    out << "open this page: " << Text(value.get_object(), "url") << "\n";
    return kOk;
  }
  if (!options.forget.empty()) {
    out << "forgotten\n";
    return kOk;
  }
  return ShowList(
      *body, "connections", "no account is connected",
      [&out](const json::object& one) { ShowConnection(one, out); }, out, err);
}

}  // namespace switchyard::cli
