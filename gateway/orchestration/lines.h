// Lines of calls that wait for something by its name, such as a lock: each like that of polls
// (waiters.h), and gone with the last who waits in it. Thread-safe.
//
// One line of Waiters would not do for all names: a wake for one file would go from call to call
// through those that wait for others, each of which asks the database before it passes it on.
// Watches would do even less, for they wake all who look at a thing, and of a line one is meant.
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
