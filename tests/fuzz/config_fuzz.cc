// Any bytes as a configuration: never a crash, a leak or a hang, and whatever is accepted can be
// described. No problem quotes what a variable or a file held. Seeds: config/*.yaml.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <boost/json/serialize.hpp>

#include "config/describe.h"
#include "config/explain.h"
#include "config/load.h"
#include "config/section.h"
#include "policies/registry.h"

namespace {

namespace config = switchyard::config;

constexpr const char* kSecret = "fUzZ-sEcReT";

class FuzzEnvironment : public config::Environment {
 public:
  std::optional<std::string> Get(const std::string& name) const override {
    if (name.ends_with("TOKEN")) return kSecret;
    return std::nullopt;
  }
  std::expected<std::string, std::string> ReadFile(const std::string&) const override {
    return kSecret;
  }
};

std::vector<config::PolicyKey> Policies() {
  const auto parse = [](config::Section section, const void*) -> std::shared_ptr<const void> {
    section.Duration("total");
    section.Integer("max_in_flight", 0, 100);
    section.Bytes("size");
    section.Number("share", 0, 1);
    section.StringMap("map");
    for (config::Section& item : section.Items("rules")) item.Strings("tools");
    return std::make_shared<int>(0);
  };
  std::vector<config::PolicyKey> keys = switchyard::policies::PolicyKeys();
  keys.push_back({"everything", parse});
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FuzzEnvironment environment;
  static const auto policies = Policies();
  std::string text(reinterpret_cast<const char*>(data), size);
  const bool mentions_it = text.contains(kSecret);
  const auto loaded = config::LoadText(std::move(text), "fuzz.yaml", policies, environment);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      if (!mentions_it && problem.ToString().contains(kSecret)) std::abort();
    }
    return 0;
  }
  const std::string shown = config::Describe(loaded->config) +
                            boost::json::serialize(config::DescribeJson(loaded->config));
  if (shown.empty()) std::abort();
  // Every level is read again, and shows nothing of what was looked up.
  for (const auto& [server, settings] : loaded->config.servers) {
    for (const char* tool : {"read", "*"}) {
      const config::ExplainedTool explained{
          .endpoint = "", .server = server, .tool = tool, .note = ""};
      const std::string text_of = config::Explain(loaded->config, policies, explained, "fuzz.yaml");
      if (!mentions_it && text_of.contains(kSecret)) std::abort();
    }
  }
  return 0;
}
