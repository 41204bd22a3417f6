// One JSON text as a flat list of its values, made in one pass over simdjson's index. No value is
// copied: a Value is where it stands in the text. Immutable once parsed; borrows the text.
//
// Values stand in document order: an array is followed by its elements, an object by its keys and
// values in turn. So the first child of value i is i + 1, and what follows any value is `after`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>

namespace switchyard::json_schema {

class JsonDoc {
 public:
  static constexpr std::size_t kMaxDepth = 512;

  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  struct Value {
    std::uint32_t begin = 0, end = 0;  // of the text
    std::uint32_t after = 0;           // the value behind this one and all within it
    std::uint32_t count = 0;           // elements or members
    Kind kind = Kind::kNull;
    bool escaped = false;  // a string with a backslash
  };

  using Read = std::expected<JsonDoc, std::string_view>;

  // The whole grammar is checked. `text` must be followed by a readable byte and outlive *this. The
  // error is a few words: "a string does not end", or kTooDeep.
  static constexpr std::string_view kTooDeep = "it is nested too deeply";
  static Read Parse(std::string_view text);

  std::size_t size() const { return values_.size(); }
  const Value& operator[](std::uint32_t i) const { return values_[i]; }
  std::string_view Raw(std::uint32_t i) const {
    return text_.substr(values_[i].begin, values_[i].end - values_[i].begin);
  }
  // What a string says. Decoded into `scratch` if it has to be; half a surrogate pair becomes the
  // three bytes that it would have in UTF-8, so that different strings stay different.
  std::string_view Text(std::uint32_t i, std::string& scratch) const;

  // The value of a member (of one that stands there twice the last, as most readers have it);
  // 0 = none, or `object` is none.
  std::uint32_t Find(std::uint32_t object, std::string_view key) const;

 private:
  class Builder;

  std::string_view text_;
  // Arguments are small: those of most calls cost no allocation.
  boost::container::small_vector<Value, 64> values_;
};

// The number of code points of UTF-8 text.
std::size_t CodePoints(std::string_view text);

}  // namespace switchyard::json_schema
