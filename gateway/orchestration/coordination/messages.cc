#include "orchestration/coordination/messages.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/pace.h"
#include "orchestration/coordination/sealed.h"
#include "orchestration/size.h"

namespace switchyard::orchestration {
namespace {

// 0 comes first.
std::int64_t RankOf(Priority priority) {
  return static_cast<std::int64_t>(Priority::kHigh) - static_cast<std::int64_t>(priority);
}
Priority PriorityOfRank(std::int64_t rank) {
  return static_cast<Priority>(static_cast<std::int64_t>(Priority::kHigh) - rank);
}

// Whose inboxes have room, each once.
Result<std::vector<std::int64_t>> BoxesOf(Records& records, const NewMessage& wanted, Sent& sent) {
  std::vector<std::int64_t> boxes;
  for (const std::string& agent : wanted.recipients) {
    Result<Inbox> inbox = InboxOf(records, agent);
    if (!inbox) return Failure(std::move(inbox.error()));
    if (inbox->unread >= kMostUnread) {
      sent.full.push_back(agent);
    } else {
      boxes.push_back(inbox->box);
    }
  }
  std::ranges::sort(boxes);
  const auto twice = std::ranges::unique(boxes);
  boxes.erase(twice.begin(), twice.end());
  return boxes;
}

Result<void> Deliver(Records& records, const NewMessage& wanted, std::int64_t id,
                     std::int64_t box) {
  Result<void> done = records.sql.Execute(
      "INSERT INTO delivery (box, message, rank, session, delivered_at, read_at) VALUES ($1, $2, "
      "$3, $4, 0, 0)",
      {box, id, RankOf(wanted.priority), wanted.session});
  if (done) done = AddUnread(records, box, 1);
  return done;
}

// What a message takes besides its content, about: its row and the indexes; and for each recipient.
constexpr std::int64_t kRowBytes = 200;

std::int64_t BytesOf(std::size_t content, std::size_t recipients) {
  return static_cast<std::int64_t>(content) +
         kRowBytes * (1 + static_cast<std::int64_t>(recipients));
}

Result<void> Forget(Records& records, std::int64_t id, std::int64_t bytes) {
  Result<void> done = records.sql.Execute(
      "UPDATE inbox SET unread = unread - 1 WHERE box IN (SELECT box FROM delivery WHERE message "
      "= $1 AND read_at = 0)",
      {id});
  if (done) done = records.sql.Execute("DELETE FROM delivery WHERE message = $1", {id});
  if (done) done = records.sql.Execute("DELETE FROM message WHERE id = $1", {id});
  return done ? CountUp(records, "message_bytes", -bytes) : done;
}

// Makes room for so many bytes: the oldest of what nobody is to read any more goes first. False:
// there is none.
Result<bool> MakeRoom(Records& records, std::int64_t bytes) {
  constexpr std::int64_t kForgottenAtOnce =
      1000;  // room for the largest takes some 350 of the smallest
  Result<Database::Rows> kept =
      records.sql.Query("SELECT value FROM counter WHERE name = 'message_bytes'");
  if (!kept) return Failure(std::move(kept.error()));
  std::int64_t over = kept->front().Number(0) + bytes - records.settings.max_message_bytes;
  if (over <= 0) return true;
  Result<Database::Rows> done =
      records.sql.Query("SELECT id, bytes FROM message WHERE awaited = 0 ORDER BY sent_at LIMIT $1",
                        {kForgottenAtOnce});
  if (!done) return Failure(std::move(done.error()));
  for (const Database::Row& row : *done) {
    if (over <= 0) break;
    if (Result<void> gone = Forget(records, row.Number(0), row.Number(1)); !gone) {
      return Failure(std::move(gone.error()));
    }
    over -= row.Number(1);
  }
  return over <= 0;
}

Result<void> Post(Records& records, const NewMessage& wanted, std::int64_t sender_box,
                  const std::vector<std::int64_t>& boxes, Sent& sent) {
  Result<std::int64_t> id = Next(records, "message");
  if (!id) return Failure(std::move(id.error()));
  SealedText stored{.text = wanted.content};
  if (wanted.confidential) {
    Result<SealedText> sealed =
        SealContent(records.settings, {.message = *id, .sender_box = sender_box, .boxes = boxes},
                    wanted.content);
    if (!sealed) return Failure(std::move(sealed.error()));
    stored = std::move(*sealed);
  }
  sent.id = *id;
  sent.recipients = static_cast<std::int64_t>(boxes.size());
  const std::int64_t bytes = BytesOf(stored.text.size(), boxes.size());
  Result<void> done = records.sql.Execute(
      "INSERT INTO message (id, sender, sender_box, session, type, rank, reply_to, content, "
      "key_id, recipients, delivered, read_by, awaited, sent_at, owner, bytes) VALUES ($1, $2, $3, "
      "$4, $5, $6, $7, $8, $9, $10, 0, 0, $10, $11, $12, $13)",
      {sent.id, wanted.sender, sender_box, wanted.session, wanted.type, RankOf(wanted.priority),
       wanted.reply_to, stored.text, stored.key_id, sent.recipients, records.now, records.caller,
       bytes});
  if (done) done = CountUp(records, "message_bytes", bytes);
  for (const std::int64_t box : boxes) {
    if (done) done = Deliver(records, wanted, sent.id, box);
  }
  records.effects.sent += sent.recipients;
  return done;
}

}  // namespace

Result<Sent> Send(Records& records, const NewMessage& wanted) {
  if (Result<void> room = RefuseAdding(records); !room) return Failure(std::move(room.error()));
  Result<Inbox> own = InboxOf(records, wanted.sender);
  if (!own) return Failure(std::move(own.error()));
  if (Result<void> may = MaySend(records, wanted.sender); !may) {
    return Failure(std::move(may.error()));
  }
  Sent sent;
  Result<std::vector<std::int64_t>> boxes = BoxesOf(records, wanted, sent);
  if (!boxes) return Failure(std::move(boxes.error()));
  if (boxes->empty()) {
    return Refused(fmt::format(
        "agent {} has {} unread messages, the most there may be: it does not read them; "
        "check_agent_responsiveness says whether it is there, find_agents who else is",
        fmt::join(sent.full, ", "), kMostUnread));
  }
  Result<bool> room = MakeRoom(records, BytesOf(wanted.content.size(), boxes->size()));
  if (!room) return Failure(std::move(room.error()));
  if (!*room) {
    return Refused(fmt::format(
        "messages of {} bytes are kept already, the most there may be (messages.max_bytes), and "
        "agents have not read them; what they read makes room",
        records.settings.max_message_bytes));
  }
  if (Result<void> done = Post(records, wanted, own->box, *boxes, sent); !done) {
    return Failure(std::move(done.error()));
  }
  return sent;
}

Result<void> Notify(Records& records, const NewMessage& wanted) {
  Result<Inbox> own = InboxOf(records, wanted.sender);
  if (!own) return Failure(std::move(own.error()));
  Sent sent;
  Result<std::vector<std::int64_t>> boxes = BoxesOf(records, wanted, sent);
  if (!boxes) return Failure(std::move(boxes.error()));
  if (boxes->empty()) return {};
  Result<bool> room = HasRoom(records);
  if (room && *room) room = MakeRoom(records, BytesOf(wanted.content.size(), boxes->size()));
  if (!room) return Failure(std::move(room.error()));
  if (!*room) return {};
  return Post(records, wanted, own->box, *boxes, sent);
}

Result<bool> ForgetMessages(Records& records, std::int64_t limit) {
  Result<Database::Rows> old = records.sql.Query(
      "SELECT id, bytes FROM message WHERE sent_at <= $1 ORDER BY sent_at LIMIT $2",
      {records.now - records.settings.retain_messages_ms, limit});
  if (!old) return Failure(std::move(old.error()));
  for (const Database::Row& row : *old) {
    if (Result<void> gone = Forget(records, row.Number(0), row.Number(1)); !gone) {
      return Failure(std::move(gone.error()));
    }
  }
  // What is over the bound, when that was made less.
  Result<bool> fits = MakeRoom(records, 0);
  if (!fits) return fits;
  return std::cmp_equal(old->size(), limit);
}

// ---- Reading ------------------------------------------------------------------------------------
namespace {

struct Place {
  std::int64_t message = 0, rank = 0, sent_at = 0;
  bool unread = false, fresh = false;  // fresh: never shown before
};

Result<std::vector<Place>> Unread(Records& records, const Reading& reading, std::int64_t box,
                                  std::int64_t limit) {
  const Cursor& from = reading.cursor;
  Result<Database::Rows> rows =
      reading.session == 0
          ? records.sql.Query(
                "SELECT message, rank, delivered_at FROM delivery WHERE box = $1 AND read_at = 0 "
                "AND (rank, message) > ($2, $3) ORDER BY rank, message LIMIT $4",
                {box, from.first, from.second, limit})
          : records.sql.Query(
                "SELECT message, rank, delivered_at FROM delivery WHERE box = $1 AND read_at = 0 "
                "AND (rank, message) > ($2, $3) AND session = $4 ORDER BY rank, message LIMIT $5",
                {box, from.first, from.second, reading.session, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Place> places;
  places.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    places.push_back({.message = row.Number(0),
                      .rank = row.Number(1),
                      .unread = true,
                      .fresh = row.Number(2) == 0});
  }
  return places;
}

Result<std::vector<Place>> WasRead(Records& records, const Reading& reading, std::int64_t box,
                                   std::int64_t limit) {
  const std::int64_t before = reading.cursor.phase == 'r' ? reading.cursor.second : INT64_MAX;
  Result<Database::Rows> rows =
      reading.session == 0
          ? records.sql.Query(
                "SELECT message FROM delivery WHERE box = $1 AND read_at > 0 AND message < $2 "
                "ORDER BY message DESC LIMIT $3",
                {box, before, limit})
          : records.sql.Query(
                "SELECT message FROM delivery WHERE box = $1 AND session = $2 AND read_at > 0 AND "
                "message < $3 ORDER BY message DESC LIMIT $4",
                {box, reading.session, before, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Place> places;
  places.reserve(rows->size());
  for (const Database::Row& row : *rows) places.push_back({.message = row.Number(0)});
  return places;
}

Result<std::vector<Place>> WasSent(Records& records, const Reading& reading, std::int64_t box,
                                   std::int64_t limit) {
  const bool begins = reading.cursor.phase == 0;
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id, sent_at FROM message WHERE sender_box = $1 AND (sent_at, id) < ($2, $3) ORDER BY "
      "sent_at DESC, id DESC LIMIT $4",
      {box, begins ? INT64_MAX : reading.cursor.first, begins ? INT64_MAX : reading.cursor.second,
       limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Place> places;
  places.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    places.push_back({.message = row.Number(0), .sent_at = row.Number(1)});
  }
  return places;
}

Result<std::vector<Place>> PlacesOf(Records& records, const Reading& reading, std::int64_t box) {
  const std::int64_t limit = reading.limit + 1;
  if (reading.sent) return WasSent(records, reading, box, limit);
  std::vector<Place> places;
  if (reading.cursor.phase != 'r') {
    Result<std::vector<Place>> unread = Unread(records, reading, box, limit);
    if (!unread) return unread;
    places = std::move(*unread);
  }
  const std::int64_t room = limit - static_cast<std::int64_t>(places.size());
  if (!reading.include_read || room == 0) return places;
  Result<std::vector<Place>> read = WasRead(records, reading, box, room);
  if (!read) return read;
  places.insert(places.end(), read->begin(), read->end());
  return places;
}

std::string CursorAt(const Reading& reading, const Place& last) {
  if (reading.sent) return CursorText('s', last.sent_at, last.message);
  return last.unread ? CursorText('u', last.rank, last.message) : CursorText('r', 0, last.message);
}

Result<std::vector<std::int64_t>> BoxesThatHave(Records& records, std::int64_t message) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT box FROM delivery WHERE message = $1 ORDER BY box", {message});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<std::int64_t> boxes;
  boxes.reserve(rows->size());
  for (const Database::Row& row : *rows) boxes.push_back(row.Number(0));
  return boxes;
}

Result<Message> Fetch(Records& records, std::int64_t id) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT sender, sender_box, session, type, rank, reply_to, content, key_id, recipients, "
      "delivered, read_by, sent_at FROM message WHERE id = $1",
      {id});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Unknown("there is no message " + ToText(IdOf::kMessage, id));
  const Database::Row& row = rows->front();
  Message message{.id = id,
                  .sender = row.Text(0),
                  .type = row.Text(3),
                  .content = row.Text(6),
                  .sender_box = row.Number(1),
                  .priority = PriorityOfRank(row.Number(4)),
                  .confidential = !row.Text(7).empty(),
                  .session = row.Number(2),
                  .reply_to = row.Number(5),
                  .sent_at = row.Number(11),
                  .recipients = row.Number(8),
                  .delivered = row.Number(9),
                  .read_by = row.Number(10)};
  if (!message.confidential) return message;
  Result<std::vector<std::int64_t>> boxes = BoxesThatHave(records, id);
  if (!boxes) return Failure(std::move(boxes.error()));
  std::optional<std::string> text =
      OpenContent(records.settings,
                  {.message = id, .sender_box = message.sender_box, .boxes = std::move(*boxes)},
                  {.key_id = row.Text(7), .text = std::move(message.content)});
  message.readable = text.has_value();
  message.content = std::move(text).value_or("");
  return message;
}

// What was shown is delivered; what is marked is read.
Result<void> Mark(Records& records, const Place& place, std::int64_t box, bool read) {
  if (!place.unread || (!read && !place.fresh)) return {};
  const std::int64_t read_at = read ? records.now : 0;
  Result<void> done = records.sql.Execute(
      "UPDATE delivery SET delivered_at = CASE WHEN delivered_at = 0 THEN $1 ELSE delivered_at "
      "END, read_at = $2 WHERE box = $3 AND message = $4",
      {records.now, read_at, box, place.message});
  if (!done) return done;
  return records.sql.Execute(
      "UPDATE message SET delivered = delivered + $1, read_by = read_by + $2, awaited = awaited - "
      "$2 WHERE id = $3",
      {place.fresh ? 1 : 0, read ? 1 : 0, place.message});
}

}  // namespace

Result<MessagePage> Read(Records& records, const Reading& reading) {
  Result<Inbox> inbox = InboxOf(records, reading.agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  Result<std::vector<Place>> places = PlacesOf(records, reading, inbox->box);
  if (!places) return Failure(std::move(places.error()));
  MessagePage page;
  std::size_t bytes = 0;
  std::int64_t now_read = 0;
  const Place* last = nullptr;
  for (const Place& place : *places) {
    if (std::cmp_equal(page.messages.size(), reading.limit) || bytes > kMostPageBytes) {
      page.next = CursorAt(reading, *last);
      break;
    }
    Result<Message> message = Fetch(records, place.message);
    if (!message) return Failure(std::move(message.error()));
    if (reading.sent) {
      Result<std::vector<SentTo>> to = SentToOf(records, message->id, kMostShown);
      if (!to) return Failure(std::move(to.error()));
      message->to = std::move(*to);
    }
    bytes += message->content.size();
    page.messages.push_back(std::move(*message));
    if (Result<void> done = Mark(records, place, inbox->box, reading.mark_read); !done) {
      return Failure(std::move(done.error()));
    }
    if (place.unread && reading.mark_read) ++now_read;
    last = &place;
  }
  if (now_read > 0) {
    Result<void> done = AddUnread(records, inbox->box, -now_read);
    if (!done) return Failure(std::move(done.error()));
  }
  records.effects.read += now_read;
  page.unread = inbox->unread - now_read;
  return page;
}

Result<Message> FindMessage(Records& records, std::int64_t id, std::int64_t box) {
  Result<Message> message = Fetch(records, id);
  if (!message || message->sender_box == box) return message;
  Result<Database::Rows> sent =
      records.sql.Query("SELECT box FROM delivery WHERE box = $1 AND message = $2", {box, id});
  if (!sent) return Failure(std::move(sent.error()));
  if (sent->empty()) return Unknown("there is no message " + ToText(IdOf::kMessage, id));
  return message;
}

}  // namespace switchyard::orchestration
