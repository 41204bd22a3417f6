#include "cli/health.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "cli/print.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTimeout{5};

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? OneLine(value->as_string()) : "";
}

// False: that is not what /readyz of a gateway says.
bool Show(const std::string& body, std::ostream& out) {
  boost::system::error_code error;
  const json::value parsed = json::parse(body, error);
  if (error || !parsed.is_object() || !parsed.as_object().contains("servers")) return false;
  const json::object& ready = parsed.as_object();
  out << Text(ready, "status") << "\n";
  const json::array* servers = ready.at("servers").if_array();
  if (servers == nullptr) return true;
  for (const json::value& value : *servers) {
    const json::object* server = value.if_object();
    if (server == nullptr) continue;
    const json::value* up = server->if_contains("up");
    const bool is_up = up != nullptr && *up == true;
    out << "  " << Text(*server, "name") << ": "
        << (is_up ? "up" : "down: " + Text(*server, "reason")) << "\n";
  }
  return true;
}

}  // namespace

int RunHealth(const HealthOptions& options, std::ostream& out, std::ostream& err) {
  const std::expected<GatewayUrl, Unreached> url = UrlOfRunning(options.where, err);
  if (!url) {
    err << url.error().message << "\n";
    return url.error().exit;
  }
  const Result<Fetched> ready = Get(*url, "/readyz", kTimeout);
  if (!ready) {
    const Unreached why = Explain(ready.error(), url->text);
    err << why.message << "\n";
    return why.exit;
  }
  const int exit = ready->status == 200 ? kOk : kFailed;
  if (options.json) {
    out << ready->body << "\n";
    return exit;
  }
  if (Show(ready->body, out)) return exit;
  err << "what answers at " << url->text << " is no gateway: /readyz gave HTTP " << ready->status
      << "\n";
  return kFailed;
}

}  // namespace switchyard::cli
