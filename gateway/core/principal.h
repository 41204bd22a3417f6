// Who calls, as far as it is proved. Made once by what proves it and shared, immutable, by all
// calls of the same credential, their copies and what outlives them: copying a call copies no
// strings.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace switchyard {

// Empty subject = nobody proved who they are. All of it is bounded by who fills it.
struct Principal {
  std::string issuer = {};
  std::string subject = {};
  std::string client = {};
  std::vector<std::string> scopes = {};
  std::vector<std::string> roles = {};
  std::vector<std::string> groups = {};
  // What else its credential says: by name, the text of a string, number or boolean, or of each of
  // a list of them; of anything else in a list its JSON. What is inside of an object has the names
  // of both, joined by a dot.
  std::map<std::string, std::vector<std::string>, std::less<>> claims = {};
  std::vector<std::string> capabilities = {};  // of the agent that it acts as
  std::string credential = {};  // SHA-256 of the token that says all this; "" = none does

  bool operator==(const Principal&) const = default;
};

// Never null. Safe to read and to drop on any thread.
using Caller = std::shared_ptr<const Principal>;

// One and the same object for all who proved nothing; copies of it count no references.
inline const Caller& Nobody() {
  static const Principal principal;
  static const Caller caller(std::shared_ptr<const void>(), &principal);
  return caller;
}

inline Caller MakeCaller(Principal principal) {
  return std::make_shared<const Principal>(std::move(principal));
}

}  // namespace switchyard
