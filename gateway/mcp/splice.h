// Edits over bytes that stay where they are: forwarding replaces a few spans of a message and
// writes the rest untouched, in one gather.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>

namespace switchyard::mcp {

// A half-open range of bytes. Empty (0,0) = absent.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool present() const { return end > begin; }
  std::uint32_t size() const { return end - begin; }
  std::string_view In(std::string_view bytes) const { return bytes.substr(begin, end - begin); }
  bool operator==(const Span&) const = default;
};

// One `"key": value` of an object. `whole` runs from the key's opening quote to the value's end.
struct Member {
  Span whole;
  Span value;
  bool present() const { return value.present(); }
};

// What goes to one gather write. The bytes belong to others and outlive the write.
using Pieces = boost::container::small_vector<std::string_view, 24>;

// Sorted, non-overlapping edits. Owns the texts that it puts in; so it must outlive the Pieces.
class Edits {
 public:
  // Replaces `span`. An empty span (begin == end) inserts. A later edit of the very same span wins,
  // so there is one insert a place; one that covers earlier ones drops them; one within an earlier
  // one is dropped, since its bytes are gone. Spans must not overlap otherwise.
  void Replace(Span span, std::string text);
  void Insert(std::uint32_t at, std::string text) { Replace(Span{at, at}, std::move(text)); }

  // Takes a member out of its object together with the one comma that has to go with it. Works for
  // any set of members of an object, in any order, each one once.
  void RemoveMember(std::string_view bytes, const Member& member);

  void AppendTo(std::string_view bytes, Pieces& out) const;
  std::string Apply(std::string_view bytes) const;  // cold paths and tests
  bool empty() const { return edits_.empty(); }
  // Nothing but this was edited, if anything.
  bool TouchOnly(Span span) const {
    return edits_.empty() || (edits_.size() == 1 && edits_.front().span == span);
  }

 private:
  struct Edit {
    Span span;
    std::string text;
  };
  using List = boost::container::small_vector<Edit, 6>;

  List::iterator FirstTouching(std::uint32_t at);  // the first edit that ends at `at` or later
  const Edit* FindRemoval(std::uint32_t at, bool ends_there);

  List edits_;
};

std::size_t TotalSize(const Pieces& pieces);
std::string Join(const Pieces& pieces);

}  // namespace switchyard::mcp
