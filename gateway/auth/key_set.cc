#include "auth/key_set.h"

#include <algorithm>
#include <string>

namespace switchyard::auth {

Verdict<const Key*> KeySet::Find(Algorithm algorithm, std::string_view id) const {
  const bool known = std::ranges::any_of(keys_, [id](const Key& key) { return key.id() == id; });
  const std::string name = id.empty() ? "" : " named " + Shown(id);
  const std::string use = " for " + std::string(Info(algorithm).name);
  const Key* found = nullptr;
  AlgorithmSet others;
  for (const Key& key : keys_) {
    // No name in the token: any key. A name that nobody has: those without one.
    if (!id.empty() && key.id() != (known ? id : std::string_view())) continue;
    if (!key.algorithms().Has(algorithm)) {
      others = others | key.algorithms();
      continue;
    }
    if (found != nullptr) return Refuse(Reason::kWrongKey, "several keys" + name + use);
    found = &key;
  }
  if (found != nullptr) return found;
  if (others.empty()) return Refuse(Reason::kUnknownKey, "no key" + name + use);
  if (id.empty() || !known) {
    return Refuse(Reason::kUnknownKey, "no key" + name + use + ", only for " + others.ToText());
  }
  return Refuse(Reason::kWrongKey, "the key" + name + " is for " + others.ToText() + ", not" + use);
}

}  // namespace switchyard::auth
