// One call to a server whose answer several wait for. The first leads: it makes the call, and lands
// with the answer, or scatters the others, when it is not one to be shared, or hands the lead over.
// Thread-safe; who follows waits on its own worker and until its own deadline, and no lock is held
// meanwhile.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "mcp/message.h"
#include "policies/lib/kept_answer.h"

namespace switchyard::policies {

class Flight {
  struct Waiter;
  struct Ticket;

 public:
  // What those who follow get: one of the three. Or a failure, as message or error, and an old
  // answer that may stand in for it.
  struct Landing {
    std::shared_ptr<const KeptAnswer> answer = nullptr;
    Duration age{};     // of an old one
    Duration oldest{};  // that it may be; zero: it is a new one
    std::optional<mcp::Message> message = std::nullopt;
    std::optional<Error> error = std::nullopt;

    bool stale() const { return oldest > Duration::zero(); }
  };

  // `generation`: of what it asks for; who comes after that changed does not join.
  explicit Flight(std::uint64_t generation) : generation_(generation) {}
  Flight(const Flight&) = delete;
  virtual ~Flight();

  std::uint64_t generation() const { return generation_; }

  // ---- By who leads, once one of these:
  void Land(Landing landing);
  void Scatter();
  // Whoever waits longest leads now. Nobody: it is over.
  void HandOver();
  // Somebody waits, as of now.
  bool HasFollowers() const;

  // ---- By who follows.
  enum class Told : std::uint8_t {
    kLanded,    // landing() is there
    kLeads,     // the lead is handed over: the caller calls the server and ends this flight
    kAlone,     // everybody goes alone
    kTimedOut,  // `until` came first
  };
  // Destroying the task gives the place, or a lead that was handed over meanwhile, up.
  static Task<Told> Follow(std::shared_ptr<Flight> flight, TimePoint until, const Clock& clock);
  // After kLanded; immutable.
  const Landing& landing() const { return *landing_; }

 protected:
  // Called once, on any thread, when it has ended: nobody is to join any more.
  virtual void Over() = 0;

 private:
  bool Enqueue(const std::shared_ptr<Waiter>& waiter);  // false: it is over
  bool Dequeue(Waiter& waiter);                         // false: it has been told something
  void End(Landing* landing, Told told);                // null: there is none
  static void Tell(const std::shared_ptr<Waiter>& waiter, Told told);  // needs mutex_

  const std::uint64_t generation_;

  mutable std::mutex mutex_;
  // Guarded by mutex_; landing_ is not changed once over_ is set.
  bool over_ = false;
  std::optional<Landing> landing_;
  std::list<std::shared_ptr<Waiter>> queue_;
};

}  // namespace switchyard::policies
