#include "policies/lib/result_pages.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/digest.h"
#include "mcp/json_string.h"
#include "mcp/json_tokens.h"
#include "mcp/message.h"
#include "mcp/scan.h"
#include "policies/lib/result_block.h"

namespace switchyard {
namespace {

using mcp::Field;
using mcp::Fields;

// What a block needs besides its text; kBlockTokens of tokens.
constexpr std::size_t kBlockBytes = 24;
// The end of a page with less room than that stays empty.
constexpr std::size_t kLeastOfText = 64;

bool IsValidJson(std::string_view text) {
  const auto tokens = mcp::JsonTokens::Find(text);
  bool too_deep = false;
  return tokens &&
         tokens->FindFault(mcp::Message::kMaxDepth, too_deep) == mcp::JsonTokens::kNoFault;
}

constexpr Room kPlainBlock{.bytes = kBlockBytes, .tokens = kBlockTokens};

void TakeBlock(const PageSize& size, const Room& block, Room& room) {
  if (size.bytes != 0) room.bytes -= std::min(room.bytes, block.bytes);
  if (size.tokens != 0) room.tokens -= std::min(room.tokens, block.tokens);
}

// What is no number stays.
std::string Least(std::string_view raw, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const last = raw.data() + raw.size();
  const auto [end, fault] = std::from_chars(raw.data(), last, number);
  if (fault != std::errc() || end != last) return std::string(raw);
  return std::to_string(std::min(number, most));
}

}  // namespace

// Fills the pages of one result, from the first to the last.
class ResultPager {
 public:
  ResultPager(ResultPages& out, const PageSize& size, bool rest)
      : out_(out), size_(size), rest_(rest) {}

  void Begin() {
    left_ = size_.whole();
    fresh_ = true;
    out_.pages_.emplace_back();
  }
  // No page is needed that there shall not be.
  bool over() const { return over_; }
  // What all of it left of the first page.
  Room LeftOfFirst() const {
    return over_ || out_.pages_.size() > 1 ? Room{.bytes = 0, .tokens = 0} : left_;
  }

  void AddWhole(std::uint32_t part) {
    ResultPages::Part& block = out_.parts_[part];
    if (!FitsIn(block.text, size_.whole())) {
      const std::string sentence =
          "[" + Describe(block.text) + ": left out, for no result may be that large]";
      block = {.kind = ResultPages::Part::Kind::kReplaced, .text = sentence};
      return AddText(part);
    }
    if (!FitsIn(block.text, left_) && !NextPage()) return;
    ChargeWhole(block.text);
    Put(part, {.begin = 0, .end = block.text.size(), .before = {}, .after = {}}, true);
  }

  // What `block` has besides `text`, which stands on the first page and on no other.
  Room Besides(std::string_view block, const BlockText& text) const {
    const std::size_t bytes = block.size() - text.raw.size();
    if (bytes <= kPlainBlock.bytes + 8 || out_.pages_.size() > 1) return kPlainBlock;
    if (size_.tokens == 0) return {.bytes = bytes, .tokens = kBlockTokens};
    const auto at = static_cast<std::size_t>(text.raw.data() - block.data());
    return {.bytes = bytes,
            .tokens = size_.counter->Count(block.substr(0, at)) +
                      size_.counter->Count(block.substr(at + text.raw.size()))};
  }

  void AddText(std::uint32_t part, const Room& besides = kPlainBlock) {
    const std::string_view text = out_.parts_[part].text;
    std::size_t at = 0;
    do {
      if (!OpenBlock(besides)) return;
      std::size_t end = at + size_.Fit(text.substr(at), left_);
      if (end < text.size()) {
        end = at + CutText(text.substr(at), end - at);
        if (end - at < kLeastOfText && !fresh_) {
          if (!NextPage()) return;
          continue;
        }
        if (end == at) end += std::max<std::size_t>(1, mcp::Utf8Length(text.substr(at)));
      }
      Charge(text.substr(at, end - at));
      Put(part, {.begin = at, .end = end, .before = {}, .after = {}},
          at == 0 && end == text.size());
      at = end;
      if (at < text.size() && !NextPage()) return;
    } while (at < text.size());
  }

  void AddJson(std::uint32_t part, JsonCutter cutter, const Room& besides = kPlainBlock) {
    const std::string_view text = out_.parts_[part].text;
    while (!cutter.done()) {
      if (!OpenBlock(besides)) return;
      JsonPiece piece = cutter.Next(size_, left_, fresh_);
      if (piece.empty()) {
        if (!NextPage()) return;
        continue;
      }
      Charge(text.substr(piece.begin, piece.end - piece.begin));
      const bool whole = piece.begin == 0 && cutter.done();
      Put(part, std::move(piece), whole);
      if (!cutter.done() && !NextPage()) return;
    }
  }

 private:
  bool NextPage() {
    if (fresh_) return true;
    over_ = !rest_;
    if (over_) return false;
    Begin();
    return true;
  }

  // Room for a block, on this page or the next.
  bool OpenBlock(const Room& besides) {
    const Room& here = BlockHere(besides);
    const bool fits = left_.bytes > here.bytes && left_.tokens > here.tokens;
    if (!fits && !fresh_ && !NextPage()) return false;
    TakeBlock(size_, BlockHere(besides), left_);
    return true;
  }
  const Room& BlockHere(const Room& besides) const {
    return out_.pages_.size() == 1 ? besides : kPlainBlock;
  }

  std::size_t TokensOf(std::string_view block) const {
    if (!IsBinary(block)) return size_.counter->Count(block);
    return size_.counter->Fit(block, kMostTokensOfBinary).tokens;
  }
  bool FitsIn(std::string_view block, const Room& room) const {
    if (block.size() > room.bytes) return false;
    if (size_.tokens == 0) return true;
    return IsBinary(block) ? TokensOf(block) <= room.tokens
                           : size_.Fit(block, room) == block.size();
  }
  void ChargeWhole(std::string_view block) {
    if (size_.bytes != 0) left_.bytes -= block.size();
    if (size_.tokens != 0) left_.tokens -= TokensOf(block);
  }
  void Charge(std::string_view text) {
    size_.Charge(text, left_);
    counted_ += text.size();
    if (counted_ > kExactlyCountedBytes) size_.counter = EstimatedTokens();
  }

  void Put(std::uint32_t part, JsonPiece piece, bool whole) {
    fresh_ = false;
    out_.pages_.back().push_back({.part = part, .what = std::move(piece), .whole = whole});
  }

  ResultPages& out_;
  PageSize size_;
  const bool rest_;
  Room left_;
  bool fresh_ = true;
  bool over_ = false;
  std::size_t counted_ = 0;
};

namespace {

// A text that is JSON is cut as such.
void AddTextPart(ResultPager& pager, std::uint32_t part, const std::string& text,
                 const Room& besides) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && (text[first] == '{' || text[first] == '[');
  std::optional<JsonCutter> cutter = json ? JsonCutter::For(text) : std::nullopt;
  if (cutter) {
    pager.AddJson(part, std::move(*cutter), besides);
  } else {
    pager.AddText(part, besides);
  }
}

}  // namespace

std::optional<ResultPages> ResultPages::Of(std::string_view result, const PageSize& size,
                                           bool rest) {
  if (!IsValidJson(result)) return std::nullopt;
  const std::optional<Fields> fields = mcp::MembersOf(result);
  if (!fields || !mcp::DuplicateKey(*fields).empty()) return std::nullopt;
  const Field* content = mcp::Find(*fields, "content");
  const Field* structured = mcp::Find(*fields, "structuredContent");
  if (content != nullptr && !mcp::IsArray(content->value)) return std::nullopt;
  const auto blocks = content == nullptr ? std::vector<std::string_view>()
                                         : mcp::ElementsOf(content->value).value();
  ResultPages out;
  out.parts_.reserve(blocks.size() + 1);
  ResultPager pager(out, size, rest);
  pager.Begin();
  bool said = false;  // what structuredContent says
  for (const std::string_view block : blocks) {
    const auto part = static_cast<std::uint32_t>(out.parts_.size());
    std::optional<BlockText> text = TextOf(block);
    const Room besides = text ? pager.Besides(block, *text) : kPlainBlock;
    out.parts_.push_back({.kind = text ? Part::Kind::kText : Part::Kind::kWhole,
                          .text = text ? std::move(text->text) : std::string(block)});
    const std::string& own = out.parts_.back().text;
    out.total_ += own.size();
    said |= text && structured != nullptr && SameJson(own, structured->value);
    if (pager.over()) continue;
    if (text) {
      AddTextPart(pager, part, own, besides);
    } else {
      pager.AddWhole(part);
    }
  }
  const std::size_t content_pages = out.pages_.size();
  bool cut = pager.over() || content_pages > 1;
  for (const Part& part : out.parts_) cut |= part.kind == Part::Kind::kReplaced;
  if (structured != nullptr) {
    // What a text says, too, is content once more; what none says is more content.
    const Space space = said ? Space{.room = size.whole(), .fresh = true}
                             : Space{.room = pager.LeftOfFirst(), .fresh = blocks.empty()};
    cut |= out.AddStructured(structured->value, size, space, rest, !said || !cut);
  }
  if (!cut) return std::nullopt;
  out.CountBytes();
  return out;
}

// Whether it was cut. What follows its first page is wanted only if no text says the same.
bool ResultPages::AddStructured(std::string_view value, const PageSize& size, Space space,
                                bool rest, bool follows) {
  const auto part = static_cast<std::uint32_t>(parts_.size());
  parts_.push_back({.kind = Part::Kind::kText, .text = std::string(value)});
  const std::string& text = parts_.back().text;
  std::optional<JsonCutter> cutter = JsonCutter::For(text);
  JsonPiece first;
  TakeBlock(size, kPlainBlock, space.room);
  if (cutter) first = cutter->Next(size, space.room, space.fresh);
  if (cutter ? cutter->done() : size.Fit(text, space.room) == text.size()) {
    parts_.pop_back();
    return false;
  }
  follows_ = follows;
  if (cutter && !first.empty()) {
    structured_ = first.before + text.substr(first.begin, first.end - first.begin) + first.after;
  } else {
    // No room at all, or nested too deeply: whoever reads it wants all of it or none.
    structured_ = "";
  }
  if (follows) {
    total_ += text.size();
    shown_ += first.end - first.begin;
  }
  if (!follows || !rest) return true;
  ResultPager pager(*this, size, rest);
  pager.Begin();
  if (cutter) {
    pager.AddJson(part, std::move(*cutter));
  } else {
    pager.AddText(part);
  }
  return true;
}

void ResultPages::CountBytes() {
  for (const Piece& piece : pages_.front()) shown_ += piece.what.end - piece.what.begin;
  memory_ = sizeof(ResultPages);
  for (const Part& part : parts_) memory_ += sizeof(Part) + part.text.capacity();
  for (const Page& page : pages_) {
    memory_ += sizeof(Page) + page.capacity() * sizeof(Piece);
    for (const Piece& piece : page) {
      memory_ += piece.what.before.size() + piece.what.after.size() + piece.what.at.size();
    }
  }
}

std::string ResultPages::Digest() const {
  std::string text;
  for (const Part& part : parts_) {
    text += std::to_string(static_cast<int>(part.kind)) + Sha256(part.text) + ";";
  }
  for (const Page& page : pages_) {
    if (page.empty()) continue;
    text += std::to_string(page.front().part) + "@" + std::to_string(page.front().what.begin) + ";";
  }
  return Sha256(text);
}

std::string ResultPages::ShownText(const Piece& piece) const {
  const std::string& text = parts_[piece.part].text;
  return piece.what.before + text.substr(piece.what.begin, piece.what.end - piece.what.begin) +
         piece.what.after;
}

std::string ResultPages::Blocks(std::size_t page) const {
  std::string out;
  for (const Piece& piece : pages_[page]) {
    if (!out.empty()) out += ',';
    const Part& part = parts_[piece.part];
    out += part.kind == Part::Kind::kWhole ? part.text : TextBlock(ShownText(piece));
  }
  if (page == 0 && follows_ && structured_ && !structured_->empty()) {
    out.append(out.empty() ? "" : ",").append(TextBlock(*structured_));
  }
  return out;
}

std::string_view ResultPages::At(std::size_t page) const {
  return pages_[page].empty() ? std::string_view() : pages_[page].front().what.at;
}

std::string ResultPages::FirstContent(std::string_view content, std::string_view note) const {
  std::string out = "[";
  const auto blocks = mcp::ElementsOf(content).value_or(std::vector<std::string_view>());
  for (const Piece& piece : pages_.front()) {
    const std::string_view block = blocks[piece.part];
    const Part::Kind kind = parts_[piece.part].kind;
    if (kind == Part::Kind::kReplaced) {
      out += TextBlock(ShownText(piece));
    } else if (piece.whole) {
      out += block;
    } else if (const std::optional<BlockText> own = TextOf(block)) {
      out += WithText(block, *own, ShownText(piece));
    }
    out += ',';
  }
  return out.append(TextBlock(note)).append("]");
}

std::string ResultPages::First(std::string_view result, std::string_view note,
                               std::string_view meta, std::uint64_t most_ttl_ms) const {
  std::string out = "{";
  const auto append = [&out](std::string_view member) {
    if (out.size() > 1) out += ',';
    out += member;
  };
  bool has_content = false, has_meta = false;
  for (const Field& field : mcp::MembersOf(result).value_or(Fields())) {
    if (field.key == "content") {
      has_content = true;
      append(R"("content":)" + FirstContent(field.value, note));
    } else if (field.key == "structuredContent" && structured_) {
      if (!structured_->empty()) append(R"("structuredContent":)" + *structured_);
    } else if (field.key == "cacheScope") {
      append(R"("cacheScope":"private")");
    } else if (field.key == "ttlMs") {
      append(R"("ttlMs":)" + Least(field.value, most_ttl_ms));
    } else if (field.key == "_meta") {
      has_meta = true;
      const std::optional<Fields> fields = mcp::MembersOf(field.value);
      std::string members(meta);
      for (const Field& one : fields.value_or(Fields())) {
        // It was cut before, further in: what is said of that is no longer so.
        if (!meta.starts_with('"' + one.key + "\":")) {
          members.append(",").append(one.whole);
        }
      }
      append(fields ? R"("_meta":{)" + members + "}" : std::string(field.whole));
    } else {
      append(field.whole);
    }
  }
  if (!has_content) append(R"("content":)" + FirstContent("[]", note));
  if (!has_meta) append(R"("_meta":{)" + std::string(meta) + "}");
  return out += '}';
}

}  // namespace switchyard
