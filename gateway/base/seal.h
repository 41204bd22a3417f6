// Opaque tokens that we hand out and get back: AES-256-GCM over a purpose and a text, base64url.
// Whoever holds one can neither read nor change it, and one made for another purpose does not open.
// Thread-safe. Expiry and binding to a caller belong into the sealed text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

class Sealer {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit Sealer(const Key& key) : key_(key) {}
  static Key RandomKey();

  // `purpose` is authenticated, not contained. The result is visible ASCII ([A-Za-z0-9_-]).
  std::string Seal(std::string_view purpose, std::string_view text) const;
  // nullopt: not ours, changed, or for another purpose.
  std::optional<std::string> Open(std::string_view purpose, std::string_view token) const;

 private:
  Key key_;
};

}  // namespace switchyard
