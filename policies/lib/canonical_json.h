// One text for all writings of the same JSON value, to compare by: members sorted, strings without
// escapes, no spaces. Not JSON itself. Numbers stay as they are written, for there are servers that
// answer 1.0 otherwise than 1. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/json_schema/json_doc.h"

namespace switchyard::policies {

// nullopt: it is no JSON, is nested too deeply, or has an object with the same key twice, which two
// readers may read as two values. `raw` must be followed by a readable byte.
std::optional<std::string> CanonicalJson(std::string_view raw);
std::optional<std::string> CanonicalJson(const json_schema::JsonDoc::Read& read);

// A key of an operator's own making: "validate:{start}:{range.end}", filled from arguments. A
// value.
class KeyTemplate {
 public:
  KeyTemplate() = default;  // empty: is not used
  // The error says what is wrong.
  static std::expected<KeyTemplate, std::string> Parse(std::string_view text);

  bool empty() const { return parts_.empty(); }
  // nullopt: a field is missing, or there is no canonical form.
  std::optional<std::string> Fill(std::string_view arguments) const;
  std::optional<std::string> Fill(const json_schema::JsonDoc::Read& arguments) const;

 private:
  struct Part {
    std::string text;                // stands before the field
    std::vector<std::string> field;  // its path; empty: none follows
  };
  std::vector<Part> parts_;
};

}  // namespace switchyard::policies
