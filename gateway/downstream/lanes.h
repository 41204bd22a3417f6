// The sessions of a legacy server for clients that it may ask something: one for each set of
// capabilities and caller, since a session is told at its start what its client offers and must be
// told no more (protocol 6.1-3, 6.1-4). Each is a server of its own, with its own transport. Made
// when needed, ended when idle, bounded. Lives on the server's home worker.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/timers.h"
#include "core/deps.h"
#include "core/service.h"
#include "downstream/askable.h"

namespace switchyard::downstream {

class ServerDownstream;

class Lanes {
 public:
  static constexpr std::size_t kMax = 64;
  static constexpr Duration kIdle = std::chrono::minutes(5);
  static constexpr Duration kSweep = std::chrono::minutes(1);

  using Make = std::function<std::shared_ptr<ServerDownstream>(Askable declared)>;

  Lanes(std::string server, const Deps& deps, Make make);
  Lanes(const Lanes&) = delete;
  ~Lanes();

  Task<Result<ReplyPtr>> Handle(Call& call);

  std::size_t size() const { return lanes_.size(); }
  // Lets go of all without a farewell.
  void Clear();
  Task<void> Close();

 private:
  struct Lane {
    std::shared_ptr<ServerDownstream> server;
    unsigned entering = 0;  // calls on their way in
    TimePoint used;
  };
  using Key = std::pair<Askable, std::string>;

  Result<std::shared_ptr<Lane>> Find(const Call& call);
  static bool Busy(const Lane& lane);
  void Sweep();
  void Retire(std::shared_ptr<ServerDownstream> server);

  const std::string server_;
  const Deps deps_;
  const Make make_;
  std::map<Key, std::shared_ptr<Lane>> lanes_;
  std::vector<TaskHandle> closing_;
  Timers::Handle sweep_;
};

}  // namespace switchyard::downstream
