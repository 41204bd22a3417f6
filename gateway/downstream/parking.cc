#include "downstream/parking.h"

namespace switchyard::downstream {

std::string CallerKey(const Principal& caller) {
  return caller.issuer + "\n" + caller.subject + "\n" + caller.client;
}

Parking::Permit& Parking::Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  Release();
  parking_ = std::exchange(other.parking_, nullptr);
  caller_ = std::move(other.caller_);
  return *this;
}

void Parking::Permit::Release() {
  if (Parking* parking = std::exchange(parking_, nullptr)) parking->Leave(caller_);
}

Result<Parking::Permit> Parking::Enter(const Principal& caller) {
  std::string key = CallerKey(caller);
  const std::scoped_lock lock(mutex_);
  const auto found = by_caller_.find(key);
  const bool own = found != by_caller_.end() && found->second >= limits_.per_caller;
  if (own || count_ >= limits_.total || limits_.per_caller == 0) {
    const std::string which = own || limits_.per_caller == 0
                                  ? std::to_string(limits_.per_caller) + " of this caller"
                                  : std::to_string(limits_.total) + " altogether";
    return Failure(Error{.code = Code::kRateLimited,
                         .message = "too many calls wait for an answer of their client (" + which +
                                    "): answer some of them first"});
  }
  ++by_caller_[key];
  ++count_;
  return Permit(this, std::move(key));
}

void Parking::Leave(const std::string& caller) {
  const std::scoped_lock lock(mutex_);
  --count_;
  const auto found = by_caller_.find(caller);
  if (--found->second == 0) by_caller_.erase(found);
}

void Parking::SetLimits(Limits limits) {
  const std::scoped_lock lock(mutex_);
  limits_ = limits;
}

Duration Parking::expiry() const {
  const std::scoped_lock lock(mutex_);
  return limits_.expiry;
}

}  // namespace switchyard::downstream
