// Lines of calls that wait for something by its name, such as a lock: each like that of polls
// (waiters.h), and gone with the last who waits in it. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "orchestration/waiters.h"

namespace switchyard::orchestration {

class Lines {
 public:
  // Made if there is none. Not longer than this.
  std::shared_ptr<Waiters> Of(const std::string& name);
  // The one that waits longest; nobody may wait.
  void Wake(const std::string& name);
  void WakeAll();
  std::size_t size() const;

 private:
  void Forget(const std::string& name);

  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Waiters>> lines_;  // guarded by mutex_
};

}  // namespace switchyard::orchestration
