#include "policies/lib/token_count.h"

#include <array>
#include <cstdint>

namespace switchyard {
namespace {

enum class Shape : std::uint8_t { kLetter, kDigit, kSpace, kLine, kMark, kOther };

constexpr std::array<Shape, 256> MakeShapes() {
  std::array<Shape, 256> shapes{};
  for (std::size_t c = 0; c < shapes.size(); ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    shapes[c] = Shape::kMark;
    if (upper || lower) shapes[c] = Shape::kLetter;
    if (c >= '0' && c <= '9') shapes[c] = Shape::kDigit;
    if (c == ' ' || c == '\t') shapes[c] = Shape::kSpace;
    if (c == '\n' || c == '\r') shapes[c] = Shape::kLine;
    if (c >= 0x80) shapes[c] = Shape::kOther;
  }
  return shapes;
}
constexpr std::array<Shape, 256> kShapes = MakeShapes();

Shape ShapeAt(std::string_view text, std::size_t at) {
  return kShapes[static_cast<unsigned char>(text[at])];
}

std::size_t DivideUp(std::size_t length, std::size_t by) { return (length + by - 1) / by; }

std::size_t CharacterAt(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return end - at;
}

// One run of one shape, and what it costs.
class Run {
 public:
  Run(std::string_view text, std::size_t at) : shape_(ShapeAt(text, at)) {
    std::size_t end = at + 1;
    if (shape_ == Shape::kOther) {
      // Scripts beyond ASCII are read a character at a time: two-byte ones (Greek, Cyrillic, ...)
      // are half a token or less, three-byte ones (CJK, ...) about one, the rest two and more.
      const std::size_t length = CharacterAt(text, at);
      bytes_ = length;
      halves_ = length <= 2 ? 1 : length == 3 ? 2 : 4;
      return;
    }
    while (end < text.size() && ShapeAt(text, end) == shape_ && end - at < kMaxRun) ++end;
    bytes_ = end - at;
    switch (shape_) {
      case Shape::kLetter:  // words up to 7 letters are one token nearly always
        halves_ = bytes_ <= 7 ? 2 : 2 * DivideUp(bytes_, 5);
        break;
      case Shape::kDigit: halves_ = 2 * DivideUp(bytes_, 3); break;
      case Shape::kSpace:  // one goes with the word behind it
        halves_ = bytes_ == 1 ? 0 : 2 * DivideUp(bytes_ - 1, 16);
        break;
      case Shape::kLine: halves_ = 2 * DivideUp(bytes_, 4); break;
      default: halves_ = bytes_ <= 2 ? 2 : 2 * DivideUp(bytes_, 2); break;
    }
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t halves() const { return halves_; }  // of a token

 private:
  // So that a run which does not fit whole is never much.
  static constexpr std::size_t kMaxRun = 240;

  Shape shape_;
  std::size_t bytes_ = 0, halves_ = 0;
};

class Estimate final : public TokenCounter {
 public:
  Prefix Fit(std::string_view text, std::size_t limit) const override {
    const std::size_t most = limit > kNoLimit / 2 ? kNoLimit : limit * 2;
    std::size_t at = 0, halves = 0;
    while (at < text.size()) {
      const Run run(text, at);
      if (run.halves() > most - halves) {
        if (at != 0) break;
        // One long run alone: as much of it as its share.
        const std::size_t part = run.bytes() * most / run.halves();
        return {.bytes = run.bytes() == CharacterAt(text, 0) ? 0 : part, .tokens = limit};
      }
      halves += run.halves();
      at += run.bytes();
    }
    return {.bytes = at, .tokens = DivideUp(halves, 2)};
  }
};

}  // namespace

const std::shared_ptr<const TokenCounter>& EstimatedTokens() {
  static const std::shared_ptr<const TokenCounter> counter = std::make_shared<Estimate>();
  return counter;
}

}  // namespace switchyard
