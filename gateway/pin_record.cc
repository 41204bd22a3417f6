#include "pin_record.h"

#include <algorithm>
#include <utility>

namespace switchyard {
namespace {

using pins::Book;
using pins::Entry;
using pins::ItemId;

const Entry* Find(const Book& book, const std::string& server, const ItemId& id) {
  const auto section = book.servers.find(server);
  if (section == book.servers.end()) return nullptr;
  const auto item = section->second.items.find(id);
  return item == section->second.items.end() ? nullptr : &item->second;
}

bool IsAccepted(const Entry* entry, const std::string& hash) {
  return entry != nullptr && entry->pin && entry->pin->trust == pins::Trust::kAccepted &&
         entry->pin->hash == hash;
}

audit::Event EventOf(audit::WallTime now, const std::string& server, const ItemId& id) {
  return {.kind = audit::Event::Kind::kPin,
          .time = now,
          .server = server,
          .item_key = "item",
          .item = pins::ToString(id)};
}

}  // namespace

void RecordVerdicts(audit::Sink* sink, audit::WallTime now, const std::string& server,
                    std::span<const pins::Verdict> verdicts, const Book& book) {
  if (sink == nullptr || !sink->on()) return;
  const auto fresh =
      static_cast<std::size_t>(std::ranges::count_if(verdicts, &pins::Verdict::fresh));
  std::size_t told = 0;
  for (const pins::Verdict& verdict : verdicts) {
    if (!verdict.fresh) continue;
    audit::Event event = EventOf(now, server, verdict.id);
    event.decision = verdict.held ? "quarantined" : "warned";
    event.approver = "gateway";
    event.reason = pins::Word(verdict.why);
    const Entry* entry = Find(book, server, verdict.id);
    if (entry != nullptr && entry->pending) event.definition = entry->pending->hash;
    const bool last = ++told == kMostVerdicts;
    if (last) event.left_out = fresh - told;
    sink->Note(std::move(event));
    if (last) return;
  }
}

void RecordChoices(audit::Sink* sink, audit::WallTime now, const Book& before, const Book& after) {
  if (sink == nullptr || !sink->on()) return;
  const auto note = [&](const std::string& server, const ItemId& id, const std::string& hash,
                        std::string_view decision) {
    audit::Event event = EventOf(now, server, id);
    event.decision = decision;
    event.approver = "operator";
    event.definition = hash;
    sink->Note(std::move(event));
  };
  for (const auto& [server, section] : after.servers) {
    for (const auto& [id, entry] : section.items) {
      if (!entry.pin || entry.pin->trust != pins::Trust::kAccepted) continue;
      const std::string& hash = entry.pin->hash;
      if (!IsAccepted(Find(before, server, id), hash)) note(server, id, hash, "accepted");
    }
  }
  for (const auto& [server, section] : before.servers) {
    for (const auto& [id, entry] : section.items) {
      const Entry* now_there = Find(after, server, id);
      const bool pinned = now_there != nullptr && now_there->pin;
      if (entry.pin && !pinned) note(server, id, entry.pin->hash, "unpinned");
    }
  }
}

}  // namespace switchyard
