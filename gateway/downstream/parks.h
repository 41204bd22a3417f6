// The parked calls of one server: each waits for the client's next request, which names it by a
// sealed `requestState`. Taken once; what nobody takes in time is cancelled. Lives on the server's
// home worker.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/timers.h"
#include "core/deps.h"
#include "core/service.h"
#include "downstream/parking.h"

namespace switchyard::downstream {

class Dialogue;

class Parks {
 public:
  // `parking` outlives this.
  Parks(std::string server, const Deps& deps, Parking& parking);
  Parks(const Parks&) = delete;
  ~Parks();

  // Gives the state by which a later call finds `dialogue`, or kRateLimited.
  Result<std::string> Park(std::shared_ptr<Dialogue> dialogue, const Call& call);

  // `call` brings a state: the rest of the parked call's reply, or why there is none.
  Result<ReplyPtr> Resume(const Call& call);

  // The same for who will not come back: the parked call is given up.
  Result<ReplyPtr> Forsake(const Call& call);

  // All are given up.
  void Clear();
  std::size_t size() const { return parked_.size(); }

 private:
  struct Parked {
    std::shared_ptr<Dialogue> dialogue;
    Parking::Permit permit;
    Timers::Handle expiry;
  };
  using Found = std::map<std::string, Parked>::iterator;
  Result<Found> Find(const Call& call);
  void Expire(const std::string& ticket);

  const std::string server_;
  const Deps deps_;
  Parking& parking_;
  std::map<std::string, Parked> parked_;  // by ticket
};

}  // namespace switchyard::downstream
