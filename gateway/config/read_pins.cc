#include <algorithm>

#include "config/read.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

void ReadAct(Section& section, std::string_view key, Pinning::Act& into) {
  const auto word = section.Enum(key, {"off", "warn", "quarantine"});
  for (const auto act : {Pinning::Act::kOff, Pinning::Act::kWarn, Pinning::Act::kQuarantine}) {
    if (word == ToString(act)) into = act;
  }
}

void ReadRules(Section& section, Pinning& into) {
  ReadAct(section, "change", into.change);
  ReadAct(section, "scan", into.scan);
  if (const auto word = section.Enum("trust", {"first_seen", "accepted"})) {
    into.only_accepted = *word == "accepted";
  }
  const auto word = section.Enum("threshold", {"low", "medium", "high"});
  using enum Pinning::Severity;
  for (const Pinning::Severity severity : {kLow, kMedium, kHigh}) {
    if (word == ToString(severity)) into.threshold = severity;
  }
}

}  // namespace

Pinning ReadPins(Section& root, std::string& file) {
  auto section = root.Child("pins");
  if (!section) return {};
  Pinning pinning = Pinning::Default();
  ReadRules(*section, pinning);
  if (auto path = section->String("file")) {
    if (!path->starts_with('/')) {
      section->Error("file", "must be an absolute path such as /etc/switchyard/pins.json, got " +
                                 Quote(*path));
    }
    file = std::move(*path);
  }
  return pinning;
}

Pinning ReadServerPins(Section& server, const Pinning& inherited) {
  auto section = server.Child("pins");
  if (!section) return inherited;
  Pinning pinning = inherited.on() ? inherited : Pinning::Default();
  ReadRules(*section, pinning);
  return pinning;
}

void PlacePins(Section& root, Config& config) {
  const bool pins =
      std::ranges::any_of(config.servers, [](const auto& one) { return one.second.pinning.on(); });
  if (!pins) {
    config.pins_file.clear();
    return;
  }
  if (!config.pins_file.empty()) return;
  if (config.state.dir.empty()) {
    root.Error("pins",
               "what is pinned must outlive the process: set state.dir, or pins.file to where it "
               "is kept");
    return;
  }
  config.pins_file = config.state.dir + "/pins.json";
}

std::string_view ToString(Pinning::Act act) {
  switch (act) {
    case Pinning::Act::kOff: return "off";
    case Pinning::Act::kWarn: return "warn";
    case Pinning::Act::kQuarantine: return "quarantine";
  }
  return "off";
}

std::string_view ToString(Pinning::Severity severity) {
  switch (severity) {
    case Pinning::Severity::kLow: return "low";
    case Pinning::Severity::kMedium: return "medium";
    case Pinning::Severity::kHigh: return "high";
  }
  return "medium";
}

}  // namespace switchyard::config
