// How records hang together: each is a line of JSON that names its number and the hash of the one
// before it, and ends with its own:
//
//   {"v":1,"seq":7,BODY,"prev":"<64 digits>","hash":"<64 digits>"}
//
// The hash is taken over the line as it would be without its member `hash`, with the brace. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::audit {

// SHA-256, or HMAC-SHA-256 under a key: then nobody who has only the file can make a chain that
// fits. A value.
class Hasher {
 public:
  Hasher() = default;
  explicit Hasher(std::string key) : key_(std::move(key)) {}

  std::string Of(std::string_view text) const;  // 64 lower-case hexadecimal digits
  bool keyed() const { return !key_.empty(); }
  std::string_view name() const { return keyed() ? "hmac-sha256" : "sha256"; }
  friend bool operator==(const Hasher&, const Hasher&) = default;

 private:
  std::string key_;
};

// The last record of a chain; at its beginning, none.
struct Head {
  std::uint64_t seq = 0;
  std::string hash = std::string(64, '0');
};

// The line of the next record, without its line break; `head` becomes that record. `body`: members
// of an object, without braces, none of which is one of the chain's.
std::string Link(const Hasher& hasher, Head& head, std::string_view body);

// The hash that a line names as its own; nullopt: it does not end as a record does.
std::optional<std::string_view> NamedHash(std::string_view line);
// The hash that it has. Of a line that names one.
std::string TrueHash(const Hasher& hasher, std::string_view line);

}  // namespace switchyard::audit
