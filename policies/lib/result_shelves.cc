#include "policies/lib/result_shelves.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "policies/lib/result_block.h"
#include "policies/lib/settings.h"

namespace switchyard {
namespace {

constexpr std::string_view kPurpose = "result";
constexpr std::size_t kLongestHandle = 1024;

// For a model.
std::string Note(const ResultPages& pages, const std::string& handle,
                 const ResultKeeping& keeping) {
  const std::string much =
      fmt::format("This result is cut{}: {} of {}", keeping.why,
                  ShortBytes(std::min(pages.shown(), pages.total())), ShortBytes(pages.total()));
  if (handle.empty()) {
    return fmt::format(
        "[{}. The rest was not kept: if more is needed, call the tool so that it "
        "answers less at a time.]",
        much);
  }
  return fmt::format(R"([{}, page 1 of {}. The rest is kept for {}: call {} with )"
                     R"({{"handle":"{}","page":2}}.])",
                     much, pages.pages(), policies::ShortDuration(keeping.shelf->keep),
                     kResultReader, handle);
}

// For a program.
std::string Meta(const ResultPages& pages, const std::string& handle) {
  std::string meta = fmt::format(R"("switchyard/cut":{{"bytes":{},"of":{})",
                                 std::min(pages.shown(), pages.total()), pages.total());
  if (!handle.empty()) {
    meta += fmt::format(R"(,"pages":{},"handle":"{}")", pages.pages(), handle);
  }
  return meta + "}";
}

}  // namespace

std::shared_ptr<ResultShelf> ResultShelves::Make(std::size_t max_bytes, Duration keep) {
  const std::lock_guard lock(mutex_);
  std::erase_if(by_number_, [](const auto& entry) { return entry.second.expired(); });
  auto shelf = std::make_shared<ResultShelf>(++last_, max_bytes, keep);
  by_number_[last_] = shelf;
  return shelf;
}

std::shared_ptr<ResultShelf> ResultShelves::Find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<const KeptResult> ResultShelves::Find(const Sealer& sealer,
                                                      const std::string& handle,
                                                      TimePoint now) const {
  if (handle.size() > kLongestHandle) return nullptr;
  const std::optional<std::string> text = sealer.Open(kPurpose, handle);
  if (!text) return nullptr;
  std::uint64_t shelf = 0, number = 0;
  const char* const last = text->data() + text->size();
  const auto [dot, fault] = std::from_chars(text->data(), last, shelf);
  if (fault != std::errc() || dot == last) return nullptr;
  std::from_chars(dot + 1, last, number);
  const std::shared_ptr<ResultShelf> found = Find(shelf);
  return found != nullptr ? found->results.Find(number, now) : nullptr;
}

bool MakeCuttable(mcp::Message& message) {
  if (message.kind() != mcp::Kind::kResult) return false;
  if (!message.edits().empty()) {  // what was edited is written otherwise than it reads
    Result<mcp::Message> anew = mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
    if (!anew) return false;
    message = std::move(*anew);
  }
  const std::string_view type = message.Get(mcp::Key::kResultType);
  return type.empty() || type == R"("complete")";  // no question, no task
}

std::size_t PutFirstPage(mcp::Message& message, KeptResult cut, const ResultKeeping& keeping) {
  const auto kept = std::make_shared<const KeptResult>(std::move(cut));
  std::string handle;
  std::size_t dropped = 0;
  if (keeping.shelf != nullptr && kept->pages.pages() > 1) {
    const KeptResults::Kept put = keeping.shelf->results.Put(kept, keeping.now);
    dropped = put.dropped;
    if (put.number != 0) {
      handle =
          keeping.sealer->Seal(kPurpose, fmt::format("{}.{}", keeping.shelf->number, put.number));
    }
  }
  // Who keeps it for longer has a handle with nothing behind it.
  const Duration most = handle.empty() ? Duration::max() : keeping.shelf->keep;
  const auto ttl = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(most).count());
  message = mcp::Message::FromResult(
      message.id(), kept->pages.First(message.result(), Note(kept->pages, handle, keeping),
                                      Meta(kept->pages, handle), ttl));
  return dropped;
}

}  // namespace switchyard
