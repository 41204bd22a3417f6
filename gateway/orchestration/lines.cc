#include "orchestration/lines.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace switchyard::orchestration {

std::shared_ptr<Waiters> Lines::Of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Waiters>& known = lines_[name];
  if (std::shared_ptr<Waiters> line = known.lock()) return line;
  const std::shared_ptr<Waiters> line(new Waiters, [this, name](const Waiters* gone) {
    delete gone;
    Forget(name);
  });
  known = line;
  return line;
}

void Lines::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = lines_.find(name);
  // Somebody may have made it anew meanwhile.
  if (found != lines_.end() && found->second.expired()) lines_.erase(found);
}

void Lines::Wake(const std::string& name) {
  std::shared_ptr<Waiters> line;  // ends without the lock, for its end takes it
  {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(name);
    if (found != lines_.end()) line = found->second.lock();
  }
  if (line != nullptr) line->Wake(1);
}

void Lines::WakeAll() {
  std::vector<std::shared_ptr<Waiters>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, line] : lines_) all.push_back(line.lock());
  }
  for (const auto& line : all) {
    if (line != nullptr) line->Wake(std::numeric_limits<std::int64_t>::max());
  }
}

std::size_t Lines::size() const {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

}  // namespace switchyard::orchestration
