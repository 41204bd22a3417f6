// One block of a result's content, as far as cutting goes. Pure functions over raw JSON that was
// checked as a whole.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

// The text that a block is about: of a text block, or of an embedded resource. `raw` is its place
// within the block; absent when it has none, or a part besides it that is too large.
struct BlockText {
  std::string_view raw;
  std::string text;
};
std::optional<BlockText> TextOf(std::string_view block);

// The block with another text in the place of its own.
std::string WithText(std::string_view block, const BlockText& own, std::string_view text);

// Its type as raw JSON, `"text"`; "" = none.
std::string_view TypeOf(std::string_view block);
// A picture or a sound.
bool IsBinary(std::string_view block);

// Of a block besides its text.
inline constexpr std::size_t kBlockTokens = 4;
// What a model pays for a picture or a sound does not grow with its bytes; few pay more than this.
inline constexpr std::size_t kMostTokensOfBinary = 1600;

std::string TextBlock(std::string_view text);

// In a word or two with type and size: `image, image/png, 1.3 MiB`.
std::string Describe(std::string_view block);

// The text of a raw JSON string. Half a surrogate pair, which no text can hold, becomes U+FFFD.
std::string TextOfString(std::string_view raw);

// 512 bytes, 12.3 KiB, 1.0 MiB.
std::string ShortBytes(std::size_t bytes);

// Whether two JSON texts are the same but for space between tokens.
bool SameJson(std::string_view a, std::string_view b);

}  // namespace switchyard
