// What policies count in (gates, buckets, breakers), by name: whoever asks for the same name while
// somebody holds it gets the same one. That is how it outlives a reload: the new settings are bound
// while the old ones are in use. What nobody holds any more is gone; the names are swept, so there
// are at most about twice as many as states in use. Thread-safe; not on the way of a call.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace switchyard::policies {

class States {
 public:
  // `name`: the policy, the key of its scope, and every setting that the state itself is made of,
  // so that another value makes another state. One name, one type.
  template <class T>
  std::shared_ptr<T> Get(const std::string& name, const std::function<std::shared_ptr<T>()>& make) {
    return std::static_pointer_cast<T>(
        GetAny(name, [&make] { return std::static_pointer_cast<void>(make()); }));
  }

  std::size_t size() const;  // names, also of states that are gone and not swept yet

 private:
  static constexpr std::size_t kFewest = 64;

  std::shared_ptr<void> GetAny(const std::string& name,
                               const std::function<std::shared_ptr<void>()>& make);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::weak_ptr<void>> by_name_;
  std::size_t sweep_at_ = kFewest;
};

}  // namespace switchyard::policies
