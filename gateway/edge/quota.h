// How many of something (connections, sessions, lasting streams) there may be at a time: in total,
// and for one owner where there is one. Where some prove who they are, those who do not cannot take
// all there is: a crowd of them (one endpoint's) has a quarter at most, all crowds half. Shared by
// all workers; thread-safe. Not on the way of a call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace switchyard::edge {

// Whose something is, as a number that tells callers apart; 0 = nobody knows.
using OwnerId = std::uint64_t;

class Quota : public std::enable_shared_from_this<Quota> {
 public:
  struct Limits {
    std::size_t total = 0;
    std::size_t per_owner = 0;  // 0 = no limit
  };
  enum class Refusal { kTotal, kOwner, kCrowd };

  // Counts as one until it is gone.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept
        : quota_(std::move(other.quota_)), owner_(other.owner_), crowd_(other.crowd_) {}
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Release(); }

   private:
    friend class Quota;
    Permit(std::shared_ptr<Quota> quota, OwnerId owner, bool crowd)
        : quota_(std::move(quota)), owner_(owner), crowd_(crowd) {}
    void Release();
    std::shared_ptr<Quota> quota_;
    OwnerId owner_ = 0;
    bool crowd_ = false;
  };

  static std::shared_ptr<Quota> Make(Limits limits) {
    return std::shared_ptr<Quota>(new Quota(limits));
  }

  std::expected<Permit, Refusal> Take(OwnerId owner);
  // For somebody of a crowd, which has a number among owners, never 0.
  std::expected<Permit, Refusal> TakeInCrowd(OwnerId crowd);
  std::size_t held() const;  // by all who have permits, at this moment
  const Limits& limits() const { return limits_; }
  std::size_t per_crowd() const { return std::max<std::size_t>(1, limits_.total / 4); }

 private:
  explicit Quota(Limits limits) : limits_(limits) {}
  std::size_t crowds() const { return std::max<std::size_t>(1, limits_.total / 2); }
  void Release(OwnerId owner, bool crowd);

  const Limits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::size_t count_ = 0;
  std::size_t in_crowds_ = 0;
  std::map<OwnerId, std::size_t> by_owner_;  // as many as hold permits
};

}  // namespace switchyard::edge
