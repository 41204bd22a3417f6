// Keys that what is kept is encrypted with (AES-256-GCM): the first one encrypts, all of them
// decrypt, so that a key is replaced by putting the new one in front of it. Immutable; safe from
// any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/seal.h"
#include "config/secret.h"

namespace switchyard {

class KeyRing {
 public:
  // Each is 32 random bytes, as 64 hexadecimal digits or as base64 (`openssl rand -base64 32`). A
  // password is none: it can be guessed by who has the file. `path` is what the configuration calls
  // them: "credentials.keys".
  static Result<KeyRing> Read(std::string_view path, const std::vector<config::Secret>& texts);

  // What names a key in a file and in messages, and says nothing of it.
  const std::string& first_id() const { return keys_.front().id; }

  std::string Seal(std::string_view purpose, std::string_view text) const {
    return keys_.front().sealer.Seal(purpose, text);
  }
  // nullopt: there is no such key, the text was changed, or it stood for another purpose.
  std::optional<std::string> Open(std::string_view id, std::string_view purpose,
                                  std::string_view sealed) const;
  bool Has(std::string_view id) const;

 private:
  struct Key {
    std::string id;
    Sealer sealer;
  };
  explicit KeyRing(std::vector<Key> keys) : keys_(std::move(keys)) {}

  std::vector<Key> keys_;  // never empty
};

// nullopt: neither of the two spellings of 32 bytes.
std::optional<Sealer::Key> ReadRingKey(std::string_view text);

}  // namespace switchyard
