// The arguments of a call as its record has them: a digest of all of it, and, where that is asked
// for, a text without what must not be read. Pure; for policies/audit.cc alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/json_schema/json_doc.h"

namespace switchyard::policies::audit {

// Which values are no one's to read: those of members with certain names, at any depth, and those
// at certain places. A value.
class Redaction {
 public:
  // `more`: besides what is hidden anyway (passwords, tokens, keys and the like). A JSON Pointer
  // (/card/number) is a place, anything else a name; both are globs, names without regard to case.
  explicit Redaction(const std::vector<std::string>& more = {});

  bool HidesName(std::string_view name) const;
  bool HidesPlace(std::string_view pointer) const;
  bool has_places() const { return !places_.empty(); }

  // Names that are hidden whatever is configured.
  static const std::vector<std::string>& Always();

 private:
  std::vector<std::string> names_, places_;
};

// One text for all writings of the same value, and JSON itself: members sorted, no spaces, strings
// with as few escapes as can be, numbers as they are written. nullopt: it is no JSON, or has an
// object with the same key twice. With a redaction, what that hides is "***".
std::optional<std::string> CanonicalText(const json_schema::JsonDoc::Read& read,
                                         const Redaction* redaction = nullptr);

// SHA-256 of the canonical text; of what has none, of the text as it came, after `raw:`.
std::string DigestOf(std::string_view raw, const json_schema::JsonDoc::Read& read);

}  // namespace switchyard::policies::audit
