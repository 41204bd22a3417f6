// Arguments for another tool, made of those of a call, by a template of the operator's:
//
//   {q: "{query}", limit: 5, where: "in {region:-eu}", "only": ["{site}"]}
//
// A text that is `{field}` alone becomes the field's value, of whatever type; within other text its
// text. A field may lie deeper (`{range.end}`) and have a default behind `:-`, read as JSON where
// it is a number, true, false or null. What has a field that is missing and no default is left out
// of its object or list. `{{` and `}}` are braces. A value; immutable; pure.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace switchyard::policies {

class ArgumentMap {
 public:
  ArgumentMap() = default;  // gives arguments as they came

  // `object` is valid JSON. The error says what is wrong, to follow the key.
  static std::expected<ArgumentMap, std::string> Parse(std::string_view object);

  // Raw JSON of an object. `arguments` is that of the call's; what is no object has no fields.
  // Values go over as they were written.
  std::string Fill(std::string_view arguments) const;

 private:
  struct Value;
  std::shared_ptr<const Value> root_;
};

}  // namespace switchyard::policies
