#include "policies/opa/settings.h"

#include "policies/lib/settings.h"

namespace switchyard::policies::opa {

std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited) {
  using namespace std::chrono_literals;
  const std::shared_ptr<Settings> settings = CopyOrDefault<Settings>(inherited);
  fetch::TakeRemote(section, settings->remote);
  section.Take("ttl", settings->ttl, 0s, 1h);
  const auto word = section.Enum("arguments", {"digest", "whole"});
  if (word) settings->whole_arguments = *word == "whole";
  section.Shows("arguments", settings->whole_arguments ? "whole" : "digest");
  if (!settings->on()) section.IsOff("no url");
  return settings;
}

}  // namespace switchyard::policies::opa
