#include "policies/lib/context_size.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "mcp/scan.h"
#include "policies/lib/result_block.h"

namespace switchyard::policies {
namespace {

using mcp::Field;
using mcp::Fields;

// The note behind a cut result, its handle included.
constexpr std::int64_t kNoteTokens = 128;
constexpr std::int64_t kLeastPage = 32;
constexpr int kTries = 6;

// Adds up what a model reads, no further than to what is enough.
class Sum {
 public:
  Sum(const TokenCounter& counter, std::int64_t enough) : counter_(counter), enough_(enough) {}

  std::int64_t tokens() const { return tokens_; }
  bool is_enough() const { return tokens_ >= enough_; }

  void Add(std::string_view text) {
    if (is_enough()) return;
    const std::size_t head = std::min(text.size(), exactly_);
    exactly_ -= head;
    AddBy(counter_, text.substr(0, head));
    if (head < text.size() && !is_enough()) AddBy(*EstimatedTokens(), text.substr(head));
  }
  void AddBlock(std::string_view block) {
    tokens_ += static_cast<std::int64_t>(kBlockTokens);
    if (const std::optional<BlockText> own = TextOf(block)) {
      Add(own->text);
      if (!IsPlainText(block)) AddBeside(block, *own);  // whose text it is
      return;
    }
    if (!IsBinary(block) && !HasBlob(block)) return Add(block);
    tokens_ += static_cast<std::int64_t>(
        std::min(kMostTokensOfBinary, EstimatedTokens()->Fit(block, kMostTokensOfBinary).tokens));
  }

 private:
  // Of an embedded resource, or of the contents of one.
  static bool HasBlob(std::string_view block) {
    const std::optional<Fields> fields = mcp::MembersOf(block);
    if (!fields) return false;
    const Field* resource = mcp::Find(*fields, "resource");
    if (resource == nullptr) return mcp::Find(*fields, "blob") != nullptr;
    const std::optional<Fields> inner = mcp::MembersOf(resource->value);
    return inner && mcp::Find(*inner, "blob") != nullptr;
  }
  static bool IsPlainText(std::string_view block) { return TypeOf(block) == R"("text")"; }

  void AddBy(const TokenCounter& counter, std::string_view text) {
    const std::int64_t room = std::max<std::int64_t>(enough_ - tokens_, 0);
    const TokenCounter::Prefix fits = counter.Fit(text, static_cast<std::size_t>(room));
    tokens_ += static_cast<std::int64_t>(fits.tokens);
    if (fits.bytes < text.size()) tokens_ = enough_;
  }
  void AddBeside(std::string_view block, const BlockText& own) {
    const auto at = static_cast<std::size_t>(own.raw.data() - block.data());
    Add(block.substr(0, at));
    Add(block.substr(at + own.raw.size()));
  }

  const TokenCounter& counter_;
  const std::int64_t enough_;
  std::size_t exactly_ = kExactlyCountedBytes;
  std::int64_t tokens_ = 0;
};

// Of what is no tool's.
std::int64_t TokensOfMembers(const Fields& fields, const TokenCounter& counter,
                             std::int64_t enough) {
  Sum sum(counter, enough);
  for (const Field& field : fields) {
    if (field.key == "_meta" || field.key == "resultType") continue;
    const bool listed = field.key == "contents" || field.key == "messages";
    const auto items =
        listed ? mcp::ElementsOf(field.value) : std::optional<std::vector<std::string_view>>();
    if (!items) sum.Add(field.whole);
    for (const std::string_view item : items.value_or(std::vector<std::string_view>())) {
      if (sum.is_enough()) break;
      const std::optional<Fields> message = mcp::MembersOf(item);
      const Field* const said = message ? mcp::Find(*message, "content") : nullptr;
      sum.AddBlock(said != nullptr ? said->value : item);
    }
  }
  return sum.tokens();
}

}  // namespace

std::int64_t TokensOfText(std::string_view text, const TokenCounter& counter, std::int64_t enough) {
  Sum sum(counter, enough);
  sum.Add(text);
  return sum.tokens();
}

std::int64_t TokensOfResult(std::string_view result, const TokenCounter& counter,
                            std::int64_t enough) {
  const std::optional<Fields> fields = mcp::MembersOf(result);
  if (!fields) return TokensOfText(result, counter, enough);
  const Field* const structured = mcp::Find(*fields, "structuredContent");
  const Field* const content = mcp::Find(*fields, "content");
  if (structured == nullptr && content == nullptr) {
    return TokensOfMembers(*fields, counter, enough);
  }
  const std::int64_t tokens =
      structured != nullptr ? TokensOfText(structured->value, counter, enough) : 0;
  if (content == nullptr) return tokens;
  const auto blocks = mcp::ElementsOf(content->value);
  if (!blocks) return std::max(tokens, TokensOfText(content->value, counter, enough));
  Sum sum(counter, enough);
  for (const std::string_view block : *blocks) {
    if (sum.is_enough()) break;
    sum.AddBlock(block);
  }
  return std::max(tokens, sum.tokens());
}

std::optional<ResultPages> PagesWithin(std::string_view result, std::int64_t most,
                                       const std::shared_ptr<const TokenCounter>& counter,
                                       bool rest) {
  const std::int64_t room = most - kNoteTokens;
  std::int64_t page = room;
  for (int i = 0; i < kTries && page >= kLeastPage; ++i) {
    const PageSize size{.tokens = static_cast<std::size_t>(page), .counter = counter};
    page = page * 3 / 4;
    const std::optional<ResultPages> first = ResultPages::Of(result, size, false);
    if (!first) continue;  // it fits by the measure of pages, and not by that of contexts
    // Brackets that are closed, and what stands beside texts, come on top of a page.
    const std::string shown = first->First(result, "", R"("switchyard/cut":{})");
    const std::int64_t tokens =
        TokensOfResult(shown, *counter, 16 * most) - static_cast<std::int64_t>(kBlockTokens);
    if (tokens <= room) return ResultPages::Of(result, size, rest);
    page = std::min(page, static_cast<std::int64_t>(size.tokens) * room / tokens);
  }
  return std::nullopt;
}

}  // namespace switchyard::policies
