// Where the rests of cut results are kept, the handles by which they are found again, and what
// stands in a result's place meanwhile: the same for all policies that cut. Thread-safe; not on the
// way of a result that fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/seal.h"
#include "mcp/message.h"
#include "policies/lib/kept_results.h"

namespace switchyard {

inline constexpr std::string_view kResultReader = "switchyard_read_result";

// The rests of one scope's results, and the number by which a handle finds them.
struct ResultShelf {
  ResultShelf(std::uint64_t own, std::size_t most, Duration time)
      : number(own), max_bytes(most), keep(time), results(most, time) {}
  const std::uint64_t number;
  const std::size_t max_bytes;
  const Duration keep;
  KeptResults results;
};

// All shelves that are in use. Whoever made one holds it; what nobody holds is gone.
class ResultShelves {
 public:
  std::shared_ptr<ResultShelf> Make(std::size_t max_bytes, Duration keep);

  // What a handle stands for; null: gone, never there, or forged. Whose it is, is the asker's to
  // look at.
  std::shared_ptr<const KeptResult> Find(const Sealer& sealer, const std::string& handle,
                                         TimePoint now) const;

 private:
  std::shared_ptr<ResultShelf> Find(std::uint64_t number) const;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<ResultShelf>> by_number_;  // guarded by mutex_
  std::uint64_t last_ = 0;                                         // guarded by mutex_
};

// How what is cut off is kept.
struct ResultKeeping {
  ResultShelf* shelf = nullptr;    // null: it is not
  const Sealer* sealer = nullptr;  // not null with a shelf
  TimePoint now{};
  std::string_view why = {};  // the result was cut, to follow "This result is cut": " to ..."
};

// As it would be written, if it is a result that may be cut: a tool's, and no question or task.
// False: it is something else. What was edited on its way is read anew.
bool MakeCuttable(mcp::Message& message);

// Puts the first page into the place of the result of which `cut` are the pages, with a note that
// says how to get the rest. Gives how many others' rests went before their time to make room.
std::size_t PutFirstPage(mcp::Message& message, KeptResult cut, const ResultKeeping& keeping);

}  // namespace switchyard
