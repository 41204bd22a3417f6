// The result of a tool, on pages. The first page is what the caller gets in the result's stead: a
// result of the same shape with less in it. The others hold the rest, for who asks for it.
//
// `content` goes over the pages block by block: text is cut at a line or sentence, text that is
// JSON between elements (json_cut.h); any other block is moved to the next page whole, and replaced
// by a sentence about it when no page can hold it. `structuredContent` that a text says, too, is
// cut to the size of a page by itself; else it has what the content left of the first page, and its
// rest follows that of the content. What stands beside a text in its block goes with its first
// page, and counts there. All other members stay as they are, but for how long and by whom it may
// be kept.
//
// Immutable once made; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/json_cut.h"
#include "policies/lib/text_cut.h"

namespace switchyard {

class ResultPages {
 public:
  // nullopt: `result` (the JSON of one, followed by a readable byte) is not larger than a page, or
  // has nothing in it that can be cut. Without `rest` there is only the first page.
  static std::optional<ResultPages> Of(std::string_view result, const PageSize& size, bool rest);

  std::size_t pages() const { return pages_.size(); }
  std::size_t total() const { return total_; }    // bytes of text and structure in all
  std::size_t shown() const { return shown_; }    // of these, on the first page
  std::size_t memory() const { return memory_; }  // about what this costs to keep

  // The first page: `result`, which it was made of, with a block of text behind its content, and
  // `meta`, raw `"key":value`, in its _meta. It is its caller's alone whatever the whole says of
  // itself, and kept by nobody for longer than `most_ttl_ms`.
  std::string First(std::string_view result, std::string_view note, std::string_view meta,
                    std::uint64_t most_ttl_ms = std::numeric_limits<std::uint64_t>::max()) const;

  // The same for pages that read the same.
  std::string Digest() const;

  // The blocks of a page (0 = the first), raw and joined by commas; "" = there is none.
  std::string Blocks(std::size_t page) const;
  // A JSON pointer to where its first block goes on; "" = at the beginning, or no JSON.
  std::string_view At(std::size_t page) const;

 private:
  friend class ResultPager;

  // A block of content, or structuredContent.
  struct Part {
    enum class Kind : std::uint8_t {
      kText,      // `text` is what it says, on as many pages as it takes
      kWhole,     // `text` is the block itself, raw
      kReplaced,  // `text` is a sentence in its stead
    };
    Kind kind = Kind::kText;
    std::string text;
  };
  struct Piece {
    std::uint32_t part = 0;
    JsonPiece what;
    bool whole = false;  // of its part
  };
  using Page = std::vector<Piece>;

  // What structuredContent may fill of the first page; `fresh`: nothing else is on it.
  struct Space {
    Room room;
    bool fresh;
  };
  bool AddStructured(std::string_view value, const PageSize& size, Space space, bool rest,
                     bool follows);
  void CountBytes();
  std::string ShownText(const Piece& piece) const;
  std::string FirstContent(std::string_view content, std::string_view note) const;

  std::vector<Part> parts_;  // by their place in content; structuredContent is the last
  std::vector<Page> pages_;
  std::optional<std::string> structured_;  // as the first page has it; "" = left out
  bool follows_ = false;                   // no text says the same, so its rest has pages
  std::size_t total_ = 0, shown_ = 0, memory_ = 0;
};

}  // namespace switchyard
