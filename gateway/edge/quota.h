// How many of something (connections, sessions, lasting streams) there may be at a time: in total,
// and for one owner where there is one. Shared by all workers; thread-safe. Not on the way of a
// call.
#pragma once

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
  enum class Refusal { kTotal, kOwner };

  // Counts as one until it is gone.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : quota_(std::move(other.quota_)), owner_(other.owner_) {}
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Release(); }

   private:
    friend class Quota;
    Permit(std::shared_ptr<Quota> quota, OwnerId owner) : quota_(std::move(quota)), owner_(owner) {}
    void Release();
    std::shared_ptr<Quota> quota_;
    OwnerId owner_ = 0;
  };

  static std::shared_ptr<Quota> Make(Limits limits) {
    return std::shared_ptr<Quota>(new Quota(limits));
  }

  std::expected<Permit, Refusal> Take(OwnerId owner);
  std::size_t held() const;  // by all who have permits, at this moment
  const Limits& limits() const { return limits_; }

 private:
  explicit Quota(Limits limits) : limits_(limits) {}
  void Release(OwnerId owner);

  const Limits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::size_t count_ = 0;
  std::map<OwnerId, std::size_t> by_owner_;  // as many as hold permits
};

}  // namespace switchyard::edge
