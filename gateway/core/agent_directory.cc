#include "core/agent_directory.h"

#include <algorithm>
#include <utility>

namespace switchyard {

std::string AgentDirectory::OwnerOf(const Principal& caller) {
  return caller.subject.empty() ? "" : caller.issuer + "\n" + caller.subject;
}

bool AgentDirectory::HasOneOf(const Words& roles, const Principal& caller) {
  return std::ranges::any_of(roles, [&caller](const std::string& role) {
    return std::ranges::find(caller.roles, role) != caller.roles.end();
  });
}

void AgentDirectory::Trust(Words roles) {
  {
    const std::lock_guard lock(mutex_);
    if (roles == roles_) return;
    roles_ = std::move(roles);
    version_.fetch_add(1, std::memory_order_release);
  }
  Changed();
}

void AgentDirectory::Apply(const Change& change) {
  {
    const std::lock_guard lock(mutex_);
    if (change.serial != serial_ + 1) return;
    serial_ = change.serial;
    if (!Put(change.entry)) return;
    version_.fetch_add(1, std::memory_order_release);
  }
  Changed();
}

void AgentDirectory::Replace(std::int64_t serial, const std::vector<Entry>& all) {
  {
    const std::lock_guard lock(mutex_);
    if (serial <= serial_) return;
    serial_ = serial;
    agents_.clear();
    owners_.clear();
    for (const Entry& entry : all) Put(entry);
    version_.fetch_add(1, std::memory_order_release);
  }
  Changed();
}

std::int64_t AgentDirectory::serial() const {
  const std::lock_guard lock(mutex_);
  return serial_;
}

AgentDirectory::WordsPtr AgentDirectory::CapabilitiesOf(const Principal& caller) const {
  if (caller.subject.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  if (!HasOneOf(roles_, caller)) return nullptr;
  const auto found = owners_.find(OwnerOf(caller));
  if (found == owners_.end()) return nullptr;
  const Owned& owned = found->second;
  if (owned.listed == nullptr) {
    Words words;
    for (const auto& [word, agents] : owned.words) {
      if (words.size() == kMostWords) break;
      words.push_back(word);
    }
    owned.listed = std::make_shared<const Words>(std::move(words));
  }
  return owned.listed;
}

std::shared_ptr<const void> AgentDirectory::Want() {
  wanting_->fetch_add(1);
  return {static_cast<const void*>(this), [count = wanting_](const void*) { count->fetch_sub(1); }};
}

// Whether anything is other than before.
bool AgentDirectory::Put(const Entry& entry) {
  const auto known = agents_.find(entry.agent);
  if (known != agents_.end()) {
    if (known->second.owner == entry.owner && known->second.capabilities == entry.capabilities) {
      return false;
    }
    Drop(known->second);
    agents_.erase(known);
  } else if (entry.capabilities.empty()) {
    return false;
  }
  // What nobody proved to be theirs is nobody's.
  if (entry.owner.empty() || entry.capabilities.empty()) return true;
  Owned& owned = owners_[entry.owner];
  for (const std::string& word : entry.capabilities) ++owned.words[word];
  owned.listed = nullptr;
  agents_.emplace(entry.agent, entry);
  return true;
}

void AgentDirectory::Drop(const Entry& entry) {
  const auto found = owners_.find(entry.owner);
  if (found == owners_.end()) return;
  Owned& owned = found->second;
  for (const std::string& word : entry.capabilities) {
    const auto counted = owned.words.find(word);
    if (counted != owned.words.end() && --counted->second == 0) owned.words.erase(counted);
  }
  owned.listed = nullptr;
  if (owned.words.empty()) owners_.erase(found);
}

void AgentDirectory::Changed() {
  if (changed_ && wanted()) changed_();
}

}  // namespace switchyard
