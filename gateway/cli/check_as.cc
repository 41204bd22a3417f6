#include "cli/check_as.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <ostream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/exit.h"
#include "config/explain.h"
#include "config/load.h"
#include "config/policy_levels.h"
#include "config/redact.h"
#include "core/agent_directory.h"
#include "policies/authorize/explain.h"
#include "policies/opa/settings.h"
#include "policies/registry.h"

namespace switchyard::cli {
namespace {

namespace authorize = policies::authorize;

bool IsObject(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  return !error && value.is_object();
}

constexpr std::string_view kNotOffered = "not offered";
// The later one is the stricter one.
constexpr std::array<std::string_view, 4> kOutcomes = {"allowed", "denied", "hidden", kNotOffered};

// Why what its agents can do does not count for the caller; "" = it does.
std::string_view NotCounted(const config::Orchestration& service, const Principal& caller) {
  if (!service.enabled) return "orchestration is not enabled";
  if (caller.subject.empty()) return "the caller proved nothing: give it a subject";
  const auto roles = service.roles.find("vouch");
  if (roles == service.roles.end()) return "orchestration.roles says nothing of vouch";
  if (AgentDirectory::HasOneOf(roles->second, caller)) return "";
  return "the caller has no role of orchestration.roles.vouch";
}

// What one server's rules say.
struct Said {
  std::string server;
  authorize::Explained explained;
};

class Question {
 public:
  Question(const config::Config& config, const std::vector<config::PolicyKey>& keys,
           const config::ExplainedTool& tool, const CheckAsOptions& options)
      : config_(config), keys_(keys), tool_(tool), options_(options) {}

  // Of a group, each of its members: any of them may get the call.
  std::vector<Said> Ask(const Principal& caller, std::chrono::system_clock::time_point now) const {
    std::vector<std::string> servers = tool_.members;
    if (servers.empty()) servers.push_back(tool_.server);
    std::vector<Said> all;
    all.reserve(servers.size());
    for (const std::string& server : servers) {
      all.push_back({.server = server, .explained = AskOne(server, caller, now)});
    }
    return all;
  }

 private:
  authorize::Explained AskOne(const std::string& server, const Principal& caller,
                              std::chrono::system_clock::time_point now) const {
    const auto key = std::ranges::find(keys_, "authorize", &config::PolicyKey::name);
    const config::PolicyStack levels =
        config::LevelsFor(config_, tool_.endpoint, server, tool_.tool);
    const config::EffectivePolicy policy = config::Resolve(*key, levels);
    const authorize::Settings none;
    const auto* settings = static_cast<const authorize::Settings*>(policy.settings.get());
    authorize::Explained explained =
        authorize::Explain(settings == nullptr ? none : *settings, caller,
                           {.endpoint = tool_.endpoint,
                            .server = server,
                            .tool = tool_.tool,
                            .arguments = options_.arguments,
                            .now = now});
    explained.asks_outside = AsksOutside(levels);
    // Nobody may call it, whatever rules say.
    if (!tool_.note.empty()) {
      explained.outcome = kNotOffered;
      explained.because = tool_.note;
    }
    return explained;
  }

  bool AsksOutside(const config::PolicyStack& levels) const {
    const auto key = std::ranges::find(keys_, "opa", &config::PolicyKey::name);
    const config::EffectivePolicy policy = config::Resolve(*key, levels);
    const auto* settings = static_cast<const policies::opa::Settings*>(policy.settings.get());
    return settings != nullptr && settings->on();
  }

  const config::Config& config_;
  const std::vector<config::PolicyKey>& keys_;
  const config::ExplainedTool& tool_;
  const CheckAsOptions& options_;
};

// That of the group: what one member refuses or hides, all do.
const Said& Strictest(const std::vector<Said>& all) {
  return *std::ranges::max_element(all, {}, [](const Said& said) {
    return std::ranges::find(kOutcomes, said.explained.outcome) - kOutcomes.begin();
  });
}

void Write(const config::ExplainedTool& tool, const std::vector<Said>& all, std::ostream& out) {
  for (const Said& said : all) {
    out << "tool " << tool.tool << " of server " << said.server << "\n";
    out << said.explained.ToText();
  }
  if (all.size() < 2) return;
  const Said& strictest = Strictest(all);
  out << "of the group: " << strictest.explained.outcome;
  if (strictest.explained.outcome != "allowed") out << ", as at server " << strictest.server;
  out << "\n";
}

boost::json::object ToJson(const std::vector<Said>& all) {
  boost::json::object out = Strictest(all).explained.ToJson();
  out["server"] = Strictest(all).server;
  if (all.size() < 2) return out;
  boost::json::array members;
  for (const Said& said : all) {
    boost::json::object member = said.explained.ToJson();
    member["server"] = said.server;
    members.push_back(std::move(member));
  }
  out["members"] = std::move(members);
  return out;
}

}  // namespace

int RunCheckAs(const CheckAsOptions& options, const config::Environment& environment,
               const Clock& clock, std::ostream& out, std::ostream& err) {
  std::string problem;
  std::optional<Principal> caller = authorize::ParseCaller(options.caller, problem);
  if (!caller) {
    err << problem << "\n";
    return kUsage;
  }
  if (!IsObject(options.arguments)) {
    err << "the arguments must be a JSON object such as {\"id\":7}\n";
    return kUsage;
  }
  const std::vector<config::PolicyKey> keys = policies::PolicyKeys();
  const config::LoadResult loaded = config::Load(options.file, keys, environment);
  if (!loaded) {
    for (const config::Problem& one : loaded.error()) err << one.ToString() << "\n";
    return kFailed;
  }
  const auto tool = config::FindTool(
      loaded->config, {.tool = options.tool, .endpoint = options.endpoint, .any_member = true});
  if (!tool) {
    err << tool.error() << "\n";
    return kFailed;
  }
  const std::string_view not_counted =
      options.capabilities.empty() ? "" : NotCounted(loaded->config.orchestration, *caller);
  if (!not_counted.empty()) {
    err << "--capability changes nothing here: " << not_counted << "\n";
  } else {
    // To rules they are alike, wherever they come from.
    caller->capabilities.insert(caller->capabilities.end(), options.capabilities.begin(),
                                options.capabilities.end());
  }
  const std::vector<Said> said =
      Question(loaded->config, keys, *tool, options).Ask(*caller, clock.WallNow());
  if (options.json) {
    boost::json::value answer = ToJson(said);
    config::HideExpanded(answer, *loaded->expanded);
    out << boost::json::serialize(answer) << "\n";
  } else {
    std::ostringstream words;
    Write(*tool, said, words);
    out << loaded->expanded->Hide(words.str());
  }
  return Strictest(said).explained.outcome == "allowed" ? kOk : kFailed;
}

}  // namespace switchyard::cli
