// Small shared state with expiry that policies decide by: token buckets, counters over a window,
// items that are swapped. In memory (store/memory.h) by default; a store that several gateways
// share carries each operation out as one atomic script, and no policy sees the difference.
//
// Thread-safe. Every operation is atomic over all keys that it names, has read what it was given
// when it returns, and answers at once where nothing has to be waited for: no coroutine frame then
// (see Eventual).
//
// Time is a parameter, the caller's clock; a shared store measures by a clock of its own and may
// ignore it. So answers hold durations, never points in time.
//
// Keys are made by policies/lib/store_key.h; the same text may name a bucket, a counter and an
// item. Memory is bounded by scope, so that no flood of keys of one limit takes the place of
// another's: see Key.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace switchyard {

// What is here already, or a task that is to be awaited:
//
//   Eventual<Drawn> answer = store.Draw(draws, now);
//   if (!answer.here()) return GoOnLater(std::move(answer).Later(), call, next);  // a coroutine
//   ... *answer ...
template <class T>
class [[nodiscard]] Eventual {
 public:
  // NOLINTBEGIN(google-explicit-constructor): whoever returns one says which by its type.
  Eventual(Result<T> here) : value_(std::move(here)) {}
  Eventual(Task<Result<T>> later) : value_(std::move(later)) {}
  // NOLINTEND(google-explicit-constructor)

  bool here() const { return value_.index() == 0; }
  Result<T>& operator*() { return *std::get_if<0>(&value_); }  // here
  Result<T>* operator->() { return std::get_if<0>(&value_); }  // here
  // Not here.
  Task<Result<T>> Later() && { return std::move(*std::get_if<1>(&value_)); }

 private:
  std::variant<Result<T>, Task<Result<T>>> value_;
};

// Its value, for who is a coroutine anyway.
template <class T>
Task<Result<T>> ValueOf(Eventual<T> answer) {
  if (answer.here()) co_return std::move(*answer);
  Result<T> later = co_await std::move(answer).Later();
  co_return later;
}

class Store {
 public:
  static constexpr std::size_t kMaxKeys = 16;  // of one operation; they differ
  // The longest that anything is kept; for a bucket, that it takes to refill.
  static constexpr Duration kLongest = std::chrono::hours(24 * 365 * 10);

  virtual ~Store() = default;

  struct Key {
    // NOLINTBEGIN(google-explicit-constructor): most keys are a text and nothing else.
    template <std::convertible_to<std::string_view> Text = std::string_view>
    Key(const Text& name = {}, std::uint64_t of = 0) : text(name), scope(of) {}
    // NOLINTEND(google-explicit-constructor)

    std::string_view text;
    // A number of all keys of one limit, budget or the like, which has room of its own then; where
    // that is full, only its own keys are refused or dropped.
    std::uint64_t scope;
  };

  // ---- Token buckets: `burst` tokens at most, one more every `interval`; full when first seen.
  // The numbers come with each operation: a bucket keeps no settings, so new ones hold at once.
  struct Bucket {
    Key key;
    Duration interval;  // > 0; interval * burst <= kLongest
    std::int64_t burst;
    std::int64_t tokens = 1;  // wanted
  };
  struct Drawn {
    bool taken = false;
    std::size_t refused_by = 0;  // not taken: the bucket that has them last
    // Not taken: until all buckets have them if nobody else draws; Duration::max() when one never
    // will, since more is wanted than it holds.
    Duration retry_after{};
  };
  // Takes from all of them or from none.
  virtual Eventual<Drawn> Draw(std::span<const Bucket> buckets, TimePoint now) = 0;

  // ---- Counters over a window.
  enum class Span : std::uint8_t {
    kSliding,  // what was added in the last `window`, and up to a sixteenth of it longer
    kFixed,    // from the first addition until `window` later; then it begins anew
  };
  // Tells what one charge added to one counter from all else. Means nothing to who is given it.
  using Mark = std::int64_t;
  static constexpr Mark kNoMark = -1;
  struct Charge {
    static constexpr std::int64_t kNoLimit = std::int64_t{1} << 62;

    Key key;
    std::int64_t amount;            // 0 = to look; may be negative with a mark
    std::int64_t limit = kNoLimit;  // a positive amount must not lift the total over it
    Duration window = kLongest;     // > 0, <= kLongest
    Span span = Span::kSliding;
    // Corrects what was added with this mark, and goes away together with it. Does nothing once
    // that is no longer counted, nor takes away more than is.
    Mark mark = kNoMark;
    bool durable = false;  // survives the process, where the store can
    // The store may forget its counter when the scope has no room for another: those that have used
    // the least of their limits first, and none that has used half of it.
    bool spare = false;
  };
  struct Charged {
    bool taken = false;
    std::size_t refused_by = 0;  // not taken: the counter that has room last
    Duration retry_after{};      // not taken: as for Drawn
    // In the order of the charges: the totals as they are now; taken: what corrections name.
    std::array<std::int64_t, kMaxKeys> totals{};
    std::array<Mark, kMaxKeys> marks{};
    // Taken: a bit for each charge without a limit that needed another counter, for which there was
    // no room. It counts nowhere.
    std::uint32_t left_out = 0;
  };
  // Adds to all of them or to none: to reserve, charge the most it may cost; to settle, charge the
  // difference without a limit, with the reservation's mark. What has no limit never fails for want
  // of a counter. An Error: there is no room for another one, and nothing was added; a counter that
  // still counts is not dropped unless it is spare.
  virtual Eventual<Charged> Add(std::span<const Charge> charges, TimePoint now) = 0;

  // ---- Items: bytes that expire. May be dropped early when there is no room.
  struct Item {
    std::string value;
    std::uint64_t version = 0;  // differs for every change of every item; never 0
  };
  virtual Eventual<std::optional<Item>> Get(Key key, TimePoint now) = 0;
  struct Swapped {
    bool done = false;
    std::optional<Item> item;  // as it is now
  };
  // Writes if the item still has this version; 0 = if there is none.
  virtual Eventual<Swapped> Swap(Key key, std::uint64_t version, std::string value, Duration keep,
                                 TimePoint now) = 0;
  // Writes whatever was there; gives the version.
  virtual Eventual<std::uint64_t> Put(Key key, std::string value, Duration keep, TimePoint now) = 0;
  virtual Eventual<bool> Erase(Key key, TimePoint now) = 0;  // whether it was there
};

}  // namespace switchyard
