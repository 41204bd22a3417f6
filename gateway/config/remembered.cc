#include "config/remembered.h"

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

}  // namespace switchyard::config
