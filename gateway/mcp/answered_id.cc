#include "mcp/answered_id.h"

#include <cstddef>
#include <utility>

#include "mcp/json_tokens.h"

namespace switchyard::mcp {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text) {}

  std::string_view Find() {
    at_ = text_.find_first_not_of(kBlank);
    if (at_ == text_.npos) return {};
    envelope_ = text_[at_] == '[' ? 2 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (Step()) break;
    }
    return request_ ? std::string_view() : id_;
  }

 private:
  // True: it is found.
  bool Step() {
    switch (const char c = text_[at_]; c) {
      case '{':
      case '[':
        ++depth_;
        key_next_ = true;
        return false;
      case '}':
      case ']': return --depth_ < envelope_ && Over();
      case ',': key_next_ = true; return false;
      case '"': return TakeString(), false;
      default:
        if (kBlank.find(c) == kBlank.npos) key_next_ = false;
        return false;
    }
  }

  // The end of a message, the next of a batch may follow.
  bool Over() {
    if (!id_.empty() && !request_) return true;
    id_ = {};
    request_ = false;
    return false;
  }

  void TakeString() {
    const std::size_t begin = at_ + 1;
    std::size_t end = begin;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    at_ = end;
    const bool key = std::exchange(key_next_, false) && depth_ == envelope_;
    if (!key || end >= text_.size()) return;
    const std::string_view name = text_.substr(begin, end - begin);
    const std::size_t colon = text_.find_first_not_of(kBlank, end + 1);
    if (colon == text_.npos || text_[colon] != ':') return;
    if (name == "method") request_ = true;
    if (name == "id" && id_.empty()) TakeId(colon + 1);
  }

  void TakeId(std::size_t from) {
    const std::size_t begin = text_.find_first_not_of(kBlank, from);
    if (begin == text_.npos) return;
    const std::size_t end = text_.find_first_not_of("-0123456789", begin);
    const std::string_view raw = text_.substr(begin, end == text_.npos ? end : end - begin);
    if (IsJsonInteger(raw)) id_ = raw;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::ptrdiff_t depth_ = 0, envelope_ = 1;
  bool key_next_ = false;  // a string here is a member's name
  bool request_ = false;
  std::string_view id_;
};

}  // namespace

std::string_view AnsweredId(std::string_view text) { return Finder(text).Find(); }

}  // namespace switchyard::mcp
