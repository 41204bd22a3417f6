#include "policies/lib/meta_note.h"

#include <utility>

#include "mcp/raw_object.h"

namespace switchyard::policies {

void NoteInMeta(mcp::Message& answer, std::string_view key, std::string_view raw) {
  if (answer.kind() != mcp::Kind::kResult) return;
  Result<mcp::Message> read = mcp::Message::Parse(answer.ToText(), mcp::Check::kEnvelope);
  if (!read || read->kind() != mcp::Kind::kResult) return;
  const mcp::Member meta = read->member(mcp::Key::kMeta);
  mcp::RawObject members = mcp::RawObject::Parse(read->Get(mcp::Key::kMeta));
  members.Set(key, raw);
  std::string text(read->bytes());
  if (meta.present()) {
    text.replace(meta.value.begin, meta.value.size(), members.ToText());
  } else {
    const bool alone = mcp::RawObject::Parse(read->result()).empty();
    text.insert(read->result_span().begin + 1,
                "\"_meta\":" + members.ToText() + (alone ? "" : ","));
  }
  Result<mcp::Message> noted = mcp::Message::Parse(std::move(text), mcp::Check::kEnvelope);
  if (noted) answer = std::move(*noted);
}

}  // namespace switchyard::policies
