// What the agents of callers can do, as far as what a caller may do goes by that: capabilities that
// agents were registered with by who is trusted to say so. Whoever keeps agents writes it after
// each commit (orchestration/desk.h); rules of authorize read it on the way of a call.
//
// On that way it costs one atomic load: a reader keeps what it got, and asks again once version()
// is another number. Thread-safe; does no I/O; bounded by the agents that there may be.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/principal.h"

namespace switchyard {

class AgentDirectory {
 public:
  using Words = std::vector<std::string>;
  using WordsPtr = std::shared_ptr<const Words>;
  // Of one caller; what is beyond it in the order of the alphabet counts for nothing.
  static constexpr std::size_t kMostWords = 1000;

  struct Entry {
    std::string agent = {}, owner = {};  // OwnerOf()
    Words capabilities = {};             // none = it is gone, or what it says counts for nothing
  };
  // They are numbered without gaps, in the order in which they were committed.
  struct Change {
    std::int64_t serial = 0;
    Entry entry = {};
  };

  // `changed` is called when answers may be others, while anybody wants them; on any thread,
  // holding nothing. It returns at once.
  explicit AgentDirectory(std::function<void()> changed = nullptr) : changed_(std::move(changed)) {}
  AgentDirectory(const AgentDirectory&) = delete;

  // As whom a caller's agents are registered; "" = nobody proved who. No two callers are alike: no
  // issuer has the character in between.
  static std::string OwnerOf(const Principal& caller);
  // Whether it proved to have one of these.
  static bool HasOneOf(const Words& roles, const Principal& caller);

  // What their agents say counts while they have one of these roles; nobody's at first.
  void Trust(Words roles);
  // One that does not follow the last is left out: who finds serial() behind replaces all.
  void Apply(const Change& change);
  // All there are, as they were after this change. Older than what is here: changes nothing.
  void Replace(std::int64_t serial, const std::vector<Entry>& all);
  std::int64_t serial() const;  // of the last change that is in here; -1 = nothing was ever said

  // Another number for other answers.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Sorted, each once; null = none. The same object for as long as nothing changes.
  WordsPtr CapabilitiesOf(const Principal& caller) const;

  // The same; of answers that nobody goes by always 0.
  std::uint64_t wanted_version() const { return wanted() ? version() : 0; }
  // Whether anybody goes by it.
  bool wanted() const { return wanting_->load(std::memory_order_relaxed) > 0; }
  // Somebody does, for as long as what is given lives.
  std::shared_ptr<const void> Want();

 private:
  struct Owned {
    std::map<std::string, std::size_t, std::less<>> words;  // of how many agents
    mutable WordsPtr listed;                                // null: to be made
  };

  bool Put(const Entry& entry);
  void Drop(const Entry& entry);
  void Changed();

  const std::function<void()> changed_;
  std::atomic<std::uint64_t> version_ = 0;  // changes under mutex_, after what it stands for
  const std::shared_ptr<std::atomic<int>> wanting_ = std::make_shared<std::atomic<int>>(0);

  mutable std::mutex mutex_;  // guards what follows
  Words roles_;
  std::int64_t serial_ = -1;
  std::unordered_map<std::string, Entry> agents_;  // by id
  std::unordered_map<std::string, Owned> owners_;
};

}  // namespace switchyard
