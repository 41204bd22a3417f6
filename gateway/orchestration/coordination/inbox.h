// Inboxes: where messages of one registration of an agent lie. Who registers an id that somebody
// had before has an inbox of his own, with a number that was never used: what was meant for the
// earlier one stays unread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// What an agent may leave unread; whoever writes to it then is told.
inline constexpr std::int64_t kMostUnread = 1000;

struct Inbox {
  std::int64_t box = 0;  // counts from 1
  std::int64_t unread = 0;
};
// Of an agent that is registered; made when there is none yet.
Result<Inbox> InboxOf(Records& records, std::string_view agent);
// For who only looks: one that nobody needed yet has the number 0.
Result<Inbox> FindInbox(Records& records, std::string_view agent);
Result<void> AddUnread(Records& records, std::int64_t box, std::int64_t by);
// Whether its agent is still registered.
Result<bool> Lives(Records& records, std::int64_t box);
// To whom a message was sent, as far as they are still registered: the first so many.
struct SentTo {
  std::string agent = {};
  bool read = false;
};
Result<std::vector<SentTo>> SentToOf(Records& records, std::int64_t message, std::int64_t limit);

// The agent is gone. Its messages go with their retention.
Result<void> DropInbox(Records& records, std::string_view agent);

}  // namespace switchyard::orchestration
