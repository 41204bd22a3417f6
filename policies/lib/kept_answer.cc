#include "policies/lib/kept_answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "mcp/scan.h"
#include "policies/lib/attempts_note.h"
#include "policies/lib/budget_words.h"

namespace switchyard::policies {
namespace {

using mcp::Field;
using mcp::Fields;
using mcp::Key;

// What is said of one call, and not of one like it.
bool IsOwn(std::string_view key) { return key == kAttemptsKey || key == kBudgetNote; }

std::string Told(std::string_view status, std::uint64_t age_ms) {
  std::string text = R"({"status":")";
  text.append(status).append(R"(","ageMs":)").append(std::to_string(age_ms)).append("}");
  return text;
}

// A `_meta` that says so, as a further member of a result.
std::string MetaWith(std::string_view told) {
  std::string text = R"(,"_meta":{")";
  text.append(KeptAnswer::kMetaKey).append("\":").append(told).append("}");
  return text;
}

// To a result that has no `_meta`.
void AddMeta(mcp::Message& message, std::string_view meta) {
  const std::string_view result = message.result();
  const bool alone = result[result.find_first_not_of(" \t", 1)] == '}';
  message.edits().Insert(message.result_span().end - 1, std::string(meta.substr(alone ? 1 : 0)));
}

std::optional<Fields> MetaOf(const mcp::Message& message) {
  const std::string_view meta = message.Get(Key::kMeta);
  return mcp::IsObject(meta) ? mcp::MembersOf(meta) : std::optional<Fields>();
}

// Puts `"switchyard/cache":0` into the result and takes out what is said of this one call.
void MakeRoom(mcp::Message& message) {
  if (!message.Has(Key::kMeta)) return AddMeta(message, MetaWith("0"));
  std::string text = "{";
  const std::optional<Fields> fields = MetaOf(message);
  for (const Field& field : fields.value_or(Fields())) {
    if (IsOwn(field.key) || field.key == KeptAnswer::kMetaKey) continue;
    text.append(field.whole).append(",");
  }
  text.append("\"").append(KeptAnswer::kMetaKey).append("\":0}");
  message.edits().Replace(message.member(Key::kMeta).value, std::move(text));
}

}  // namespace

std::optional<std::uint64_t> WholeNumber(std::string_view raw) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (raw.empty() || error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return number;
}

mcp::Message Plain(mcp::Message message) {
  if (message.ReadsAsWritten()) return message;
  Result<mcp::Message> read = mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
  return read ? std::move(*read) : std::move(message);
}

void NoteMiss(mcp::Message& result) {
  static const std::string kMiss = Told("miss", 0);
  static const std::string kMetaWithMiss = MetaWith(kMiss);
  const std::optional<Fields> fields = MetaOf(result);
  if (!fields) return AddMeta(result, kMetaWithMiss);
  const mcp::Span place = result.member(Key::kMeta).value;
  if (const Field* before = mcp::Find(*fields, KeptAnswer::kMetaKey)) {  // of a gateway behind us
    const auto at = static_cast<std::uint32_t>(before->value.data() - result.bytes().data());
    const auto size = static_cast<std::uint32_t>(before->value.size());
    result.edits().Replace({at, at + size}, kMiss);
    return;
  }
  std::string text = "\"";
  text.append(KeptAnswer::kMetaKey).append("\":").append(kMiss);
  if (!fields->empty()) text += ',';
  result.edits().Insert(place.begin + 1, std::move(text));
}

std::shared_ptr<const KeptAnswer> KeptAnswer::Of(const mcp::Message& result) {
  if (!result.ReadsAsWritten() || (result.Has(Key::kMeta) && !MetaOf(result))) return nullptr;
  return std::make_shared<const KeptAnswer>(Private(), result.bytes());
}

const KeptAnswer::Ready& KeptAnswer::Prepared() const {
  std::call_once(prepared_, [this] {
    Result<mcp::Message> read =
        mcp::Message::Parse(std::move(as_came_), mcp::Check::kEnvelope);  // as it was before
    mcp::Message roomy = std::move(read).value_or(mcp::Message());
    MakeRoom(roomy);
    ready_.message = Plain(std::move(roomy));
    const std::optional<Fields> meta = MetaOf(ready_.message);
    const Field* told = meta ? mcp::Find(*meta, kMetaKey) : nullptr;
    if (told == nullptr) return;
    const auto at = static_cast<std::uint32_t>(told->value.data() - ready_.message.bytes().data());
    ready_.told = {at, at + static_cast<std::uint32_t>(told->value.size())};
    ready_.ttl_ms = WholeNumber(ready_.message.Get(Key::kTtlMs));
  });
  return ready_;
}

mcp::Message KeptAnswer::Give(std::string_view raw_id, std::string_view status,
                              Duration age) const {
  const Ready& ready = Prepared();
  const auto passed = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::max(age, Duration(0))).count());
  mcp::Message copy = ready.message.Clone();
  copy.SetId(std::string(raw_id));
  if (ready.told.present()) copy.edits().Replace(ready.told, Told(status, passed));
  if (ready.ttl_ms && *ready.ttl_ms > 0 && passed > 0) {
    copy.edits().Replace(copy.member(Key::kTtlMs).value,
                         std::to_string(*ready.ttl_ms - std::min(*ready.ttl_ms, passed)));
  }
  return copy;
}

}  // namespace switchyard::policies
