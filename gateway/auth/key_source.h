// When the keys of an issuer are fetched from its URL: decisions alone, time and randomness are
// passed in, and whoever fetches says how it went. One thread at a time.
//
// - At first use, and when they grow old: by what the answer's Cache-Control said, within bounds.
// - When a token names a key that is not there, at most once in `unknown_pause`: anybody can name
//   keys that do not exist.
// - After a failure with growing pauses. Old keys serve meanwhile, until `stale` after they grew
//   old: an issuer that is down for an hour locks nobody out, one that is gone does in the end.
// - One fetch at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"

namespace switchyard::auth {

struct KeySourceRules {
  Duration default_age = std::chrono::minutes(10);  // of an answer that says nothing
  Duration min_age = std::chrono::minutes(1);
  Duration max_age = std::chrono::hours(24);
  Duration unknown_pause = std::chrono::seconds(30);
  Duration stale = std::chrono::hours(12);
  Duration first_pause = std::chrono::seconds(1);  // after a failure
  Duration last_pause = std::chrono::minutes(5);
};

class KeySource {
 public:
  enum class Do : std::uint8_t {
    kUse,          // the keys that are there
    kUseAndFetch,  // those, and fetch newer ones meanwhile
    kFetch,        // nothing to use: fetch, and wait for it
    kWait,         // nothing to use: wait for the fetch that is under way
    kRefuse,       // nothing to use, and too early to try again
  };

  explicit KeySource(KeySourceRules rules);

  // What a token that is to be verified has to do. Whoever is told to fetch calls Started() at once
  // and afterwards Fetched() or Failed(), whatever happens.
  Do OnToken(TimePoint now) const;
  // The same when the keys that are there do not have the one it names: kUse means that there is no
  // point in asking again, refuse the token; kFetch or kWait, then look once more.
  Do OnUnknownKey(TimePoint now) const;

  void Started(TimePoint now);
  // `max_age` as in MaxAgeOf().
  void Fetched(TimePoint now, std::optional<std::chrono::seconds> max_age);
  void Failed(TimePoint now, double random);  // random in [0, 1)

  // What failed may work now: neither a failure nor an unknown key holds the next one up.
  void Retry();

  TimePoint next_try() const { return next_try_; }  // after kRefuse

 private:
  bool HasKeys(TimePoint now) const { return has_keys_ && now < old_at_ + rules_.stale; }

  const KeySourceRules rules_;
  Backoff backoff_;
  bool has_keys_ = false;
  bool fetching_ = false;
  TimePoint old_at_{};        // of the keys
  TimePoint next_try_{};      // not before that, after a failure
  TimePoint next_unknown_{};  // not before that, for the sake of an unknown key
};

// How long an answer may be kept, by its Cache-Control: zero for no-store and no-cache, nullopt
// when it says nothing or nonsense.
std::optional<std::chrono::seconds> MaxAgeOf(std::string_view cache_control);

}  // namespace switchyard::auth
