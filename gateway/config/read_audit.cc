#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/read.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

void ReadAnomalies(Section& audit, Audit::Anomalies& anomalies) {
  using namespace std::chrono_literals;
  auto section = audit.Child("anomalies");
  if (!section) return;
  const auto count = [&section](std::string_view key, std::int64_t min, std::int64_t max,
                                auto& into) {
    using Number = std::remove_reference_t<decltype(into)>;
    if (const auto value = section->Integer(key, min, max)) into = static_cast<Number>(*value);
  };
  if (const auto time = section->Duration("window", 1s, 24h)) anomalies.window = *time;
  if (const auto time = section->Duration("learn")) anomalies.learn = *time;
  if (const auto on = section->Bool("unseen_tools")) anomalies.unseen_tools = *on;
  count("denials", 0, 1'000'000, anomalies.denials);
  count("calls", 0, 1'000'000'000, anomalies.calls);
  count("callers", 100, 1'000'000, anomalies.callers);
}

// Their ends are easy to guess, and with them the key.
constexpr std::size_t kShortestKey = 16;

}  // namespace

Audit ReadAudit(Section& root) {
  using namespace std::chrono_literals;
  constexpr std::size_t kKiB = 1024;
  Audit audit;
  auto section = root.Child("audit");
  if (!section) return audit;
  if (auto path = section->String("path")) {
    if (!path->empty() && (!path->starts_with('/') || path->ends_with('/'))) {
      section->Error("path",
                     "must be an absolute path of a file such as "
                     "/var/log/switchyard/audit.jsonl, got " +
                         Quote(*path));
    }
    audit.path = std::move(*path);
  }
  if (auto key = section->SecretString("key")) {
    if (!key->empty() && key->Reveal().size() < kShortestKey) {
      section->Error("key", "must have 16 bytes or more, from a file best: ${file:audit.key}");
    }
    audit.key = std::move(*key);
  }
  if (const auto word = section->Enum("on_failure", {"refuse", "drop"}); word == "drop") {
    audit.on_failure = Audit::OnFailure::kDrop;
  }
  const auto sync = section->Enum("sync", {"none", "interval", "each"});
  if (sync == "none") audit.sync = Audit::Sync::kNone;
  if (sync == "each") audit.sync = Audit::Sync::kEach;
  if (const auto time = section->Duration("sync_interval", 10ms, 1h)) audit.sync_interval = *time;
  if (const auto bytes = section->Bytes("max_size", 64 * kKiB)) audit.max_size = *bytes;
  if (const auto time = section->Duration("max_age", 1min)) audit.max_age = *time;
  if (const auto count = section->Integer("keep_files", 1, 1'000'000)) {
    audit.keep_files = static_cast<std::size_t>(*count);
  }
  if (const auto time = section->Duration("keep_for", 0s, 24h * 365 * 100)) {
    audit.keep_for = *time;
  }
  ReadAnomalies(*section, audit.anomalies);
  return audit;
}

std::string_view ToString(Audit::OnFailure word) {
  return word == Audit::OnFailure::kDrop ? "drop" : "refuse";
}

std::string_view ToString(Audit::Sync word) {
  switch (word) {
    case Audit::Sync::kNone: return "none";
    case Audit::Sync::kInterval: return "interval";
    case Audit::Sync::kEach: return "each";
  }
  return "interval";
}

}  // namespace switchyard::config
