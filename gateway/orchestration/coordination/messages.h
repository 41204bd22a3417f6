// Messages between agents: kept until they are too old, each in the inboxes of those it was sent
// to. A message is queued, delivered once a recipient was shown it, and read once it was marked so.
// Confidential ones are sealed under the first of the keys, bound to their number, their sender and
// their recipients: a row that was copied or changed does not open.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/agents.h"
#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/lifecycle.h"

namespace switchyard::orchestration {

inline constexpr std::size_t kMostRecipients = 100;
inline constexpr std::int64_t kMostShown = 10;             // of them by name
inline constexpr std::size_t kMostPageBytes = 256 * 1024;  // of contents; one is always there

// What the service itself tells: nobody else sends messages that read like it.
inline constexpr std::array<std::string_view, 6> kOwnTypes = {
    "session_invitation",  "session_closed",      "assistance_request",
    "assistance_accepted", "assistance_declined", "assistance_response"};

struct NewMessage {
  std::string sender = {};  // has acted, see ActAs()
  std::vector<std::string> recipients = {};
  std::string type = "message", content = {};
  Priority priority = Priority::kMedium;
  bool confidential = false;
  std::int64_t session = 0, reply_to = 0;  // 0 = none
};
struct Sent {
  std::int64_t id = 0;
  std::int64_t recipients = 0;
  std::vector<std::string> full = {};  // whose inboxes have no room
};
// kRateLimited: the sender sends too much; data says when it may again. kInvalid: no recipient has
// room, all there is room for is kept and still to be read, or there is no key for what is
// confidential.
Result<Sent> Send(Records& records, const NewMessage& wanted);
// The same for what the service tells in the name of an agent that did something else: not limited,
// and nothing happens where there is no room.
Result<void> Notify(Records& records, const NewMessage& wanted);

struct Message {
  std::int64_t id = 0;
  std::string sender = {}, type = {}, content = {};
  std::int64_t sender_box = 0;
  Priority priority = Priority::kMedium;
  bool confidential = false;
  bool readable = true;  // false: sealed under a key that is gone, or changed
  std::int64_t session = 0, reply_to = 0, sent_at = 0;
  std::int64_t recipients = 0, delivered = 0, read_by = 0;
  std::vector<SentTo> to = {};  // of one that its sender looks at: the first kMostShown
};

struct Reading {
  std::string agent = {};  // has acted
  bool sent = false;       // what it sent itself, newest first, instead of what it was sent
  bool mark_read = true;
  bool include_read = false;  // after what is unread
  std::int64_t session = 0;   // 0 = all
  std::int64_t limit = 10;
  Cursor cursor = {};
};
struct MessagePage {
  std::vector<Message> messages = {};  // unread: by priority, then as they came; then newest first
  std::string next = {};               // "" = there are no more
  std::int64_t unread = 0;             // in the inbox, after this
};
Result<MessagePage> Read(Records& records, const Reading& reading);

// Who sent it, and whether the owner of this inbox was sent it. kNotFound: neither, or none such.
Result<Message> FindMessage(Records& records, std::int64_t id, std::int64_t box);

// Forgets those that are too old, so many at most. True: there may be more.
Result<bool> ForgetMessages(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
