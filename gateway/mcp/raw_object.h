// A JSON object as its members' raw texts: rebuilt where members come, go or change their names,
// while every value stays as it was written. For cold paths; a value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::mcp {

class RawObject {
 public:
  RawObject() = default;  // no members
  // No members when `raw` is no object or broken. Of a key that stands there twice the first
  // counts.
  static RawObject Parse(std::string_view raw);

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  std::string_view Get(std::string_view key) const&;  // raw; "" = absent
  std::string Get(std::string_view key) && { return std::string(std::as_const(*this).Get(key)); }
  std::string GetString(std::string_view key) const;  // "" also when it is no string

  // Replaces in its place, or adds at the end.
  void Set(std::string_view key, std::string_view raw);
  void SetString(std::string_view key, std::string_view text);
  void Erase(std::string_view key);

  // Keys as plain text, values raw.
  using Members = std::vector<std::pair<std::string, std::string>>;
  const Members& members() const& { return members_; }
  Members members() && { return std::move(members_); }
  bool empty() const { return members_.empty(); }
  std::string ToText() const;

 private:
  const std::string* Find(std::string_view key) const;

  Members members_;
};

}  // namespace switchyard::mcp
