// Where the tokens of a JSON text begin, as simdjson's first stage finds them, and checks over
// them. The only place that includes simdjson. The index lives in a thread_local buffer: use a
// JsonTokens within one function, never across a co_await, and only one at a time on a thread.
//
// The first stage has already refused bad UTF-8, control characters in strings and open strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace switchyard::mcp {

class JsonTokens {
 public:
  // `text` must be followed by a readable byte (std::string has one) and outlive *this. The error
  // is a word or two: "invalid UTF-8".
  static std::expected<JsonTokens, std::string_view> Find(std::string_view text);

  JsonTokens(JsonTokens&&) noexcept;
  ~JsonTokens();

  std::size_t size() const { return size_; }
  // i may be size(): then the end of the text, and a NUL as its character.
  std::uint32_t begin(std::size_t i) const { return begins_[i]; }
  char at(std::size_t i) const { return text_[begins_[i]]; }
  // The end of the token before token i: whitespace in between is none of it.
  std::uint32_t EndBefore(std::size_t i) const {
    std::uint32_t end = begins_[i];
    while (IsSpace(text_[end - 1])) --end;
    return end;
  }

  // Steps over the value that starts at token i. Brackets are only counted. 0 = no value here, or
  // more than `max_depth` deep.
  std::size_t Skip(std::size_t i, int max_depth) const;

  // Full grammar check of the whole text: one value, nothing behind it. `depth_exceeded` tells the
  // one fault that is not the grammar's. Returns the offset of the first fault, or npos.
  static constexpr std::size_t kNoFault = std::string_view::npos;
  std::size_t FindFault(std::size_t max_depth, bool& depth_exceeded) const;

  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

 private:
  using Parser = simdjson::internal::dom_parser_implementation;

  JsonTokens() = default;

  const char* text_ = nullptr;
  const std::uint32_t* begins_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<Parser> big_;  // for texts too big for the buffer that a thread keeps
};

bool IsJsonInteger(std::string_view raw);  // 0, -7, 123456789012345678901234567890
bool IsJsonNumber(std::string_view raw);
// Whether the escapes of a raw string are JSON's (half a surrogate pair passes: grammar allows it).
bool HasValidEscapes(std::string_view raw);

}  // namespace switchyard::mcp
