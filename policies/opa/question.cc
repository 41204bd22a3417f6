#include "policies/opa/question.h"

#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "auth/strict_json.h"
#include "base/digest.h"
#include "config/text_check.h"
#include "core/principal_view.h"
#include "policies/lib/arguments.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/store_key.h"

namespace switchyard::policies::opa {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestReason = 200;
constexpr std::size_t kDeepest = 64;

// Of a group, who may get the call.
json::array ServersOf(const Call& call) {
  json::array servers;
  const Definition* item = call.target.definition;
  if (item != nullptr && item->listed != nullptr) item = item->listed;
  if (item != nullptr) {
    for (const auto& member : item->members) servers.emplace_back(member->server);
  }
  if (servers.empty()) servers.emplace_back(call.target.server);
  return servers;
}

std::unexpected<Error> Wrong(std::string what) {
  return Failure(Code::kProtocol, Origin::kServer, "the external decision " + std::move(what));
}

}  // namespace

std::optional<Question> QuestionOf(const Call& call, std::string_view kind,
                                   const Settings& settings,
                                   std::chrono::system_clock::time_point now) {
  std::string_view raw = call.message.Get(mcp::Key::kArguments);
  if (raw.empty()) raw = "{}";
  const std::optional<std::string> canonical = CanonicalJson(ReadArguments(raw));
  if (!canonical) return std::nullopt;
  json::object input{
      {"principal", ViewOf(*call.caller)},
      {"endpoint", call.endpoint.empty() ? "/mcp" : fmt::format("/mcp/{}", call.endpoint)},
      {"method", call.method().name},
      {"servers", ServersOf(call)},
      {"kind", kind},
      {"name", call.target.name},
      {"arguments_digest", Sha256(*canonical)}};
  const std::string same = json::serialize(input);
  if (settings.whole_arguments) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kDeepest;
    input["arguments"] = json::parse(raw, error, {}, options);
    if (error) return std::nullopt;
  }
  input["time"] = fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(now));
  StoreKey key;
  key.Add(settings.remote.url.Reveal());
  for (const auto& [name, value] : settings.remote.headers) key.Add(name).Add(value.Reveal());
  key.Add(settings.whole_arguments ? "whole" : "digest").Add(same);
  const Sha256Digest digest = Sha256Bytes(key.text());
  return Question{.key = std::string(digest.begin(), digest.end()),
                  .body = json::serialize(json::object{{"input", std::move(input)}})};
}

Result<Said> SaidIn(const std::string& body) {
  const auto answer = auth::ReadObject(body);
  if (!answer) return Wrong("cannot be read: " + answer.error());
  const json::value* result = answer->if_contains("result");
  if (result == nullptr) return Wrong("is undefined");
  if (result->is_bool()) return Said{.allow = result->get_bool()};
  const json::object* object = result->if_object();
  const json::value* allow = object == nullptr ? nullptr : object->if_contains("allow");
  if (allow == nullptr || !allow->is_bool()) {
    return Wrong("is neither true nor false nor {allow, reason}");
  }
  Said said{.allow = allow->get_bool()};
  if (const json::string* reason = auth::StringIn(*object, "reason")) {
    said.reason = config::Printable(*reason, kLongestReason);
  }
  return said;
}

}  // namespace switchyard::policies::opa
