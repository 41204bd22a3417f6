#include "edge/event_store.h"

#include <charconv>
#include <utility>

#include "base/token.h"

namespace switchyard::edge {
namespace {

// An event's own cost beside its text.
constexpr std::size_t kOverhead = 64;
// A stream's own cost: its entry, and its key twice.
constexpr std::size_t kStreamOverhead = 1024;
// Bytes that go to a reader in one step, so that a long replay goes by his pace.
constexpr std::size_t kBatchBytes = 256 * 1024;
constexpr std::size_t kTokenSize = 32;

template <class Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string KeyOf(std::string_view session, std::string_view token) {
  return std::string(session) + ' ' + std::string(token);
}

}  // namespace

std::string EventId::ToText() const {
  return std::to_string(worker) + '-' + static_cast<char>(kind) + token + '-' +
         std::to_string(number);
}

std::optional<EventId> EventId::Parse(std::string_view text) {
  const std::size_t first = text.find('-');
  const std::size_t last = text.rfind('-');
  if (first == std::string_view::npos || last - first != kTokenSize + 2) return std::nullopt;
  EventId id;
  const char kind = text[first + 1];
  if (kind != static_cast<char>(Kind::kCall) && kind != static_cast<char>(Kind::kSession)) {
    return std::nullopt;
  }
  id.kind = static_cast<Kind>(kind);
  id.token = text.substr(first + 2, kTokenSize);
  if (!ParseNumber(text.substr(0, first), id.worker) ||
      !ParseNumber(text.substr(last + 1), id.number)) {
    return std::nullopt;
  }
  return id;
}

struct EventStore::Stream::Entry {
  std::string key;
  EventId id;                      // number: of the last event
  std::deque<std::string> events;  // the last ones
  std::size_t bytes = 0;
  bool ended = false;
  std::optional<TimePoint> unheard;  // since when nobody listens
  std::string reader;                // who came back last
  Deliver waiting;                   // of the reader, null = none waits
  std::function<void()> on_taken, expire;
};

EventStore::Stream::Stream(EventStore& store, std::shared_ptr<Entry> entry)
    : store_(store), entry_(std::move(entry)) {}

EventStore::Stream::~Stream() {
  entry_->on_taken = nullptr;
  entry_->expire = nullptr;
  End();
}

EventId EventStore::Stream::id() const { return entry_->id; }

bool EventStore::Stream::taken() const { return !entry_->reader.empty(); }

std::uint64_t EventStore::Stream::Append(std::string text) {
  Entry& entry = *entry_;
  const std::uint64_t number = ++entry.id.number;
  const std::size_t size = text.size() + kOverhead;
  const bool kept = store_.entries_.contains(entry.key);
  if (kept) {
    entry.events.push_back(std::move(text));
    entry.bytes += size;
    store_.bytes_ += size;
    if (entry.waiting) {
      const Deliver deliver = std::exchange(entry.waiting, nullptr);
      deliver(store_.BatchOf(entry, number - 1));
    }
    store_.Trim(entry);
  }
  return number;
}

void EventStore::Stream::End() {
  Entry& entry = *entry_;
  if (std::exchange(entry.ended, true)) return;
  entry.unheard = store_.clock_.Now();
  if (entry.waiting) {
    const Deliver deliver = std::exchange(entry.waiting, nullptr);
    deliver({.then = Batch::Then::kEnd, .events = {}});
  }
  if (store_.entries_.contains(entry.key)) store_.ended_.push_back(entry.key);
}

void EventStore::Stream::Unheard() {
  if (!entry_->unheard && !taken()) entry_->unheard = store_.clock_.Now();
}

EventStore::EventStore(unsigned worker, const Clock& clock, Limits limits)
    : worker_(worker), clock_(clock), limits_(limits) {}

EventStore::~EventStore() = default;

std::unique_ptr<EventStore::Stream> EventStore::Open(std::string session, EventId::Kind kind,
                                                     std::function<void()> on_taken,
                                                     std::function<void()> expire) {
  auto entry = std::make_shared<Entry>();
  entry->id = {.worker = worker_, .kind = kind, .token = RandomToken()};
  entry->key = KeyOf(session, entry->id.token);
  entry->on_taken = std::move(on_taken);
  entry->expire = std::move(expire);
  entry->bytes = kStreamOverhead;
  bytes_ += kStreamOverhead;
  entries_.emplace(entry->key, entry);
  MakeRoom(*entry);
  return std::unique_ptr<Stream>(new Stream(*this, std::move(entry)));
}

std::shared_ptr<EventStore::Entry> EventStore::Find(const std::string& session,
                                                    const EventId& id) const {
  const auto found = entries_.find(KeyOf(session, id.token));
  return found == entries_.end() ? nullptr : found->second;
}

EventStore::Batch EventStore::BatchOf(const Entry& entry, std::uint64_t after) const {
  Batch batch;
  const std::uint64_t before_first = entry.id.number - entry.events.size();
  if (after > entry.id.number || after < before_first)
    return {.then = Batch::Then::kUnknown, .events = {}};
  std::size_t bytes = 0;
  for (std::uint64_t i = after - before_first; i < entry.events.size() && bytes < kBatchBytes;
       ++i) {
    bytes += entry.events[i].size();
    batch.events.emplace_back(before_first + i + 1, entry.events[i]);
  }
  return batch;
}

void EventStore::Read(const std::string& session, const EventId& id, const std::string& reader,
                      bool first, Deliver deliver) {
  const std::shared_ptr<Entry> entry = Find(session, id);
  if (entry == nullptr) return deliver({.then = Batch::Then::kUnknown, .events = {}});
  if (!first && entry->reader != reader) return deliver({.then = Batch::Then::kEnd, .events = {}});
  if (entry->waiting) {
    const Deliver before = std::exchange(entry->waiting, nullptr);
    before({.then = Batch::Then::kEnd, .events = {}});
  }
  Batch batch = BatchOf(*entry, id.number);
  if (batch.then == Batch::Then::kUnknown) return deliver(std::move(batch));
  const bool was_taken = !entry->reader.empty();
  entry->reader = reader;
  if (!entry->ended) entry->unheard.reset();
  if (!was_taken && entry->on_taken) {
    const std::function<void()> on_taken = std::exchange(entry->on_taken, nullptr);
    on_taken();
  }
  if (batch.events.empty() && entry->ended) batch.then = Batch::Then::kEnd;
  if (!batch.events.empty() || entry->ended || first) return deliver(std::move(batch));
  entry->waiting = std::move(deliver);
}

void EventStore::Leave(const std::string& session, const EventId& id, const std::string& reader) {
  const std::shared_ptr<Entry> entry = Find(session, id);
  if (entry == nullptr || entry->reader != reader) return;
  entry->waiting = nullptr;
  if (!entry->ended) entry->unheard = clock_.Now();
}

void EventStore::Trim(Entry& entry) {
  MakeRoom(entry);
  while (!entry.events.empty() &&
         (entry.bytes > limits_.stream_bytes || bytes_ > limits_.total_bytes)) {
    const std::size_t size = entry.events.front().size() + kOverhead;
    entry.events.pop_front();
    entry.bytes -= size;
    bytes_ -= size;
  }
}

void EventStore::MakeRoom(const Entry& keep) {
  while (bytes_ > limits_.total_bytes && !ended_.empty()) {
    const auto found = entries_.find(ended_.front());
    ended_.pop_front();
    if (found != entries_.end() && found->second.get() != &keep) Forget(found);
  }
}

void EventStore::Forget(Entries::iterator entry) {
  const std::shared_ptr<Entry> gone = entry->second;
  bytes_ -= gone->bytes;
  gone->bytes = 0;
  gone->events.clear();
  entries_.erase(entry);
  if (gone->waiting)
    std::exchange(gone->waiting, nullptr)({.then = Batch::Then::kEnd, .events = {}});
}

void EventStore::ForgetSession(const std::string& session) {
  const std::string prefix = KeyOf(session, "");
  for (auto entry = entries_.lower_bound(prefix);
       entry != entries_.end() && entry->first.starts_with(prefix);) {
    Forget(entry++);
  }
}

void EventStore::Tick() {
  const TimePoint now = clock_.Now();
  std::vector<std::function<void()>> expired;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    Entry& stream = *current->second;
    if (!stream.unheard || now - *stream.unheard < limits_.grace) continue;
    if (stream.expire) expired.push_back(std::exchange(stream.expire, nullptr));
    Forget(current);
  }
  while (!ended_.empty() && !entries_.contains(ended_.front())) ended_.pop_front();
  for (const auto& expire : expired) expire();
}

}  // namespace switchyard::edge
