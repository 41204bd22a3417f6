// A JSON text in pieces that are JSON texts themselves: each has the objects and arrays that lead
// to what is in it. Cut between elements; an element is cut only when it alone is larger than a
// page, and a string within an element only then, too. The bytes that the pieces show are, in
// order, those of the text but for commas and space between elements.
//
//   {"rows":[1,2,3],"n":3}   {"rows":[1,2]}  {"rows":[3],"n":3}
//
// Not thread-safe; borrows the text. Linear in the text, whatever it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/text_cut.h"

namespace switchyard {

struct JsonPiece {
  std::size_t begin = 0, end = 0;  // of the text
  std::string before, after;       // what makes it JSON again
  std::string at = {};             // a JSON pointer: where it begins; "" = at the beginning
  bool empty() const { return begin == end; }
};

class JsonCutter {
 public:
  // nullopt: `text` is no JSON, or none that pieces can be made of (neither an object nor an array,
  // nested more than 64 deep, or with a key or number of more than 256 bytes). `text` is followed
  // by a readable byte.
  static std::optional<JsonCutter> For(std::string_view text);

  bool done() const { return done_; }

  // The next piece, of at most `room` but for the path of keys that leads to it. Empty: nothing
  // good to show has room. `fresh`: the page is new, so something is shown in any case.
  JsonPiece Next(const PageSize& size, const Room& room, bool fresh);

 private:
  struct Level {
    bool object;
    std::size_t start;          // of the element that it is, its key included
    std::size_t last;           // the end of what this piece shows of it so far
    std::size_t index = 0;      // of the element that is next or under way
    std::string_view key = {};  // of an object's element under way, raw with its quotes
    bool here = false;          // began in this piece
    std::size_t whole_end = 0;  // 0 = not known
  };
  struct Element {
    std::size_t start, value;  // of its key, if it has one; of itself
    std::size_t end;           // of a scalar; kFar = it goes on beyond what matters
    std::string_view key;
    bool container, string;
  };
  // One piece in the making.
  struct Scan {
    JsonPiece piece;
    std::size_t stop;       // there is room up to here
    std::size_t page;       // the bytes that a page has room for, about
    bool fresh;             // something must be shown
    std::size_t shown = 0;  // the end of the first element that is in it; 0 = none yet
  };
  static constexpr std::size_t kFar = ~std::size_t{0};

  explicit JsonCutter(std::string_view text) : text_(text) {}

  std::size_t SkipBetween(std::size_t at) const;  // space and commas
  std::size_t StringEnd(std::size_t at, std::size_t limit) const;
  Element ElementAt(std::size_t at, const Scan& scan) const;
  std::string Opener(std::size_t most) const;
  std::string Closers() const;
  std::string Pointer() const;

  void Count(Scan& scan, std::size_t end);
  bool Step(Scan& scan, std::size_t& at);
  bool Overflow(Scan& scan, const Element& element, std::size_t& at);
  bool CutBeforeContainer(Scan& scan, const Element& element);
  void FindEnds(std::size_t at, std::size_t limit);
  bool Split(Scan& scan, std::size_t from, bool force);
  void CutBefore(Scan& scan, std::size_t next);

  std::string_view text_;
  std::vector<Level> stack_;
  std::size_t at_ = 0;      // the next element, or the inside of a string
  bool in_string_ = false;  // at_ is within a string
  bool done_ = false;
};

}  // namespace switchyard
