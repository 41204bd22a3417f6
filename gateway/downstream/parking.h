// What the parked calls of all servers have in common: how many there may be, how long they are
// kept, and the key of the tokens that name them. A parked call has asked its client something and
// waits for the answer, which comes with another request. Also which states of modern servers,
// where nothing is parked, came back.
//
// One object, shared by all workers; thread-safe. Outlives what it gave permits to.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "base/seal.h"
#include "core/call.h"
#include "downstream/used_states.h"

namespace switchyard::downstream {

class Parking {
 public:
  struct Limits {
    std::size_t total = 1000;
    std::size_t per_caller = 64;  // callers without a name are one
    Duration expiry = std::chrono::minutes(10);
  };

  explicit Parking(Limits limits) : sealer_(Sealer::RandomKey()), limits_(limits) {}
  Parking(const Parking&) = delete;

  // The place of one parked call, free again when destroyed.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept
        : parking_(std::exchange(other.parking_, nullptr)), caller_(std::move(other.caller_)) {}
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Release(); }

   private:
    friend class Parking;
    Permit(Parking* parking, std::string caller) : parking_(parking), caller_(std::move(caller)) {}
    void Release();
    Parking* parking_ = nullptr;
    std::string caller_;
  };

  // kRateLimited, and which limit it was, when there is no place.
  Result<Permit> Enter(const Principal& caller);

  // For permits from now on.
  void SetLimits(Limits limits);
  Duration expiry() const;
  std::size_t count() const { return count_; }
  const Sealer& sealer() const { return sealer_; }
  UsedStates& used() { return used_; }

 private:
  void Leave(const std::string& caller);

  const Sealer sealer_;
  UsedStates used_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;  // guards what follows
  Limits limits_;
  std::map<std::string, std::size_t> by_caller_;
};

// One text for each caller, the same for the same one.
std::string CallerKey(const Principal& caller);

}  // namespace switchyard::downstream
