// Places for calls that wait here until something is there. Such a call is no work for anybody, so
// it has no slot of the policy `concurrency`; what it takes is memory and a connection, and that is
// bounded here: so many altogether, and half of them of one caller, so that others have room.
// Callers that prove nothing are one. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"

namespace switchyard::orchestration {

class Places {
 public:
  static constexpr std::size_t kMost = 10'000;

  explicit Places(std::size_t most = kMost) : most_(most) {}

  // Given back by its end, on any thread. Its places outlive it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), caller_(std::move(other.caller_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->GiveBack(caller_);
    }

   private:
    friend class Places;
    Place(Places& places, std::string caller) : places_(&places), caller_(std::move(caller)) {}
    Places* places_;
    std::string caller_;
  };

  // kRateLimited, and which bound it is: there is none.
  Result<Place> Take(const std::string& caller);
  std::size_t taken() const;

 private:
  void GiveBack(const std::string& caller);

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;                         // guarded by mutex_
  std::map<std::string, std::size_t> by_caller_;  // the same; none is zero
};

}  // namespace switchyard::orchestration
