// The cursors of our list results: sealed, opaque to clients, bound to an endpoint and a method.
//
// A cursor says how many items came before. One of an older catalog is honoured: the client goes on
// at the same place of the new list (list_changed tells it to start over, and a page past the end
// is empty). It counts in the list as its bearer sees it and says nothing of what that is, so it is
// not bound to a caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/seal.h"

namespace switchyard::catalog {

struct Cursor {
  std::uint64_t revision = 0;  // of the catalog that made it
  std::uint64_t offset = 0;
};

// Immutable; safe to use from any thread.
class CursorSealer {
 public:
  // `key` of 32 bytes; with any other length the key is random and cursors end with this object.
  CursorSealer(std::string_view key, std::string_view endpoint);

  std::string Seal(std::string_view method, Cursor cursor) const;
  // nullopt: not ours, changed, or of another list.
  std::optional<Cursor> Open(std::string_view method, std::string_view token) const;

 private:
  std::string Purpose(std::string_view method) const;

  Sealer sealer_;
  std::string endpoint_;
};

}  // namespace switchyard::catalog
