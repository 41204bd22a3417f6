#include "config/remembered.h"

#include <utility>
#include <vector>

namespace switchyard::config {

std::optional<std::string> Remembered::Get(const std::string& name) const {
  if (const auto known = variables_.find(name); known != variables_.end()) return known->second;
  if (source_ == nullptr) return std::nullopt;
  return variables_.emplace(name, source_->Get(name)).first->second;
}

std::expected<std::string, std::string> Remembered::ReadFile(const std::string& path) const {
  if (const auto known = files_.find(path); known != files_.end()) return known->second;
  if (source_ == nullptr) return std::unexpected("was not read before");
  return files_.emplace(path, source_->ReadFile(path)).first->second;
}

std::string Remembered::Hide(std::string_view text, Text kind) const {
  std::vector<Expansion> all;
  for (const auto& [name, value] : variables_) {
    if (value) all.push_back({.value = *value, .shown = "${" + name + "}"});
  }
  for (const auto& [path, content] : files_) {
    if (!content) continue;
    std::string value = *content;
    while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
    all.push_back({.value = std::move(value), .shown = "${file:" + path + "}"});
  }
  return config::Hide(text, all, kind);
}

}  // namespace switchyard::config
