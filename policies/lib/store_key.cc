#include "policies/lib/store_key.h"

#include <string>

#include "base/digest.h"
#include "base/string_hash.h"

namespace switchyard::policies {
namespace {

constexpr std::size_t kLongestPart = 64;

}  // namespace

StoreKey& StoreKey::AddLong(std::string_view part) {
  // No short part is written with a #, so none can pass for a long one.
  if (part.size() > kLongestPart) return Continue("#" + Sha256(part));
  char* const at = Extend(part.size() + 3);
  at[0] = static_cast<char>('0' + part.size() / 10);
  at[1] = static_cast<char>('0' + part.size() % 10);
  at[2] = ':';
  part.copy(at + 3, part.size());
  return *this;
}

StoreKey& StoreKey::Continue(std::string_view text) {
  text.copy(Extend(text.size()), text.size());
  return *this;
}

std::uint64_t StoreKey::Scope() const { return StringHash()(text()) | 1U; }  // 0 would be none

}  // namespace switchyard::policies
