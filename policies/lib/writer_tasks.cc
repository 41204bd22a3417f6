#include "policies/lib/writer_tasks.h"

#include <utility>

namespace switchyard::policies {

void WriterTasks::Add(const std::string& id, Writer writer) {
  if (id.empty()) return;
  const std::lock_guard lock(mutex_);
  if (writers_.insert_or_assign(id, std::move(writer)).second) order_.push_back(id);
  while (order_.size() > kMost) {
    writers_.erase(order_.front());
    order_.pop_front();
  }
  size_ = writers_.size();
}

std::optional<WriterTasks::Writer> WriterTasks::Find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = writers_.find(id);
  return found == writers_.end() ? std::nullopt : std::optional<Writer>(found->second);
}

void WriterTasks::Forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (writers_.erase(id) > 0) std::erase(order_, id);
  size_ = writers_.size();
}

}  // namespace switchyard::policies
