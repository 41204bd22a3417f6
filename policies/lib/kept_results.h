// What was cut off results, kept for a while for who asks for it: bounded in bytes and time, and
// what was asked for longest ago goes first, except that who has more than a quarter of it makes
// room for themselves out of their own. Equal results of an owner are kept once. Thread-safe; what
// it gives out lives on by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "policies/lib/result_pages.h"

namespace switchyard {

struct KeptResult {
  ResultPages pages;
  std::string tool;   // as it was called
  std::string meant;  // in whose stead it was, "" = its own: whose context it takes
  std::string owner;  // who may read it
};

class KeptResults {
 public:
  KeptResults(std::size_t max_bytes, Duration keep) : max_bytes_(max_bytes), keep_(keep) {}

  struct Kept {
    std::uint64_t number = 0;  // 0 = it is larger than all that may be kept, and was not
    std::size_t dropped = 0;   // so many others went before their time, to make room
  };
  Kept Put(std::shared_ptr<const KeptResult> result, TimePoint now);
  // null: gone, or never there.
  std::shared_ptr<const KeptResult> Find(std::uint64_t number, TimePoint now);

  std::size_t bytes() const;

 private:
  using Numbers = std::list<std::uint64_t>;  // what was asked for last comes first
  struct Entry {
    std::uint64_t number;
    TimePoint until;
    std::size_t bytes;
    std::string digest;
    std::shared_ptr<const KeptResult> result;
    Numbers::iterator place;  // among its owner's
  };
  using Entries = std::list<Entry>;  // what was asked for last comes first
  struct Owner {
    std::size_t bytes = 0;
    Numbers numbers;
  };

  void Touch(Entries::iterator entry);
  void Erase(Entries::iterator entry);
  std::size_t MakeRoom(std::size_t bytes, const std::string& owner, TimePoint now);

  const std::size_t max_bytes_;
  const Duration keep_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Entries entries_;
  std::unordered_map<std::uint64_t, Entries::iterator> by_number_;
  std::unordered_map<std::string, Entries::iterator> by_digest_;
  std::unordered_map<std::string, Owner> owners_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace switchyard
