#include "cli/admin_api.h"

#include <utility>

#include <boost/json/parse.hpp>

#include "cli/print.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTimeout{10};

}  // namespace

int ShowList(std::string_view body, std::string_view name, std::string_view none,
             const std::function<void(const json::object&)>& show, std::ostream& out,
             std::ostream& err) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::value* list =
      !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (list == nullptr || !list->is_array()) {
    err << "what answers is no gateway\n";
    return kFailed;
  }
  for (const json::value& one : list->get_array()) {
    if (one.is_object()) show(one.get_object());
  }
  if (list->get_array().empty()) out << none << "\n";
  return kOk;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? OneLine(value->as_string()) : "";
}

std::optional<std::string> AskAdmin(const AdminOptions& options, Plain plain, std::string_view what,
                                    std::ostream& err, int& exit) {
  std::string token;
  const std::expected<GatewayUrl, Unreached> url = UrlOfRunning(options.where, err, &token);
  if (!url) {
    err << url.error().message << "\n";
    exit = url.error().exit;
    return std::nullopt;
  }
  plain.token = options.token.empty() ? token : options.token;
  Result<Fetched> fetched = Ask(*url, std::move(plain), kTimeout);
  if (!fetched) {
    const Unreached why = Explain(fetched.error(), url->text);
    err << why.message << "\n";
    exit = why.exit;
    return std::nullopt;
  }
  if (fetched->status == 200) return std::move(fetched->body);
  exit = kFailed;
  boost::system::error_code error;
  const json::value value = json::parse(fetched->body, error);
  const std::string said =
      !error && value.is_object() ? Text(value.get_object(), "error") : std::string();
  if (said.empty()) {
    err << "what answers at " << url->text << " has no " << what << ": HTTP " << fetched->status
        << "\n";
  } else {
    err << said << "\n";
    if (fetched->status == 401) {
      err << "give it with --admin-token or $SWITCHYARD_ADMIN_TOKEN, or name the configuration\n";
    }
  }
  return std::nullopt;
}

}  // namespace switchyard::cli
