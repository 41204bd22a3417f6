// What is pinned of all servers, and what waits for somebody to look at it: the content of the pins
// file (docs/policies/pinning.md). Values; one thread at a time.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pins/definition.h"
#include "pins/definition_scan.h"

namespace switchyard::pins {

struct ItemId {
  Kind kind = Kind::kTool;
  std::string name;  // as the server calls it: name, uri or uriTemplate; "" = its instructions

  friend auto operator<=>(const ItemId&, const ItemId&) = default;
};
// "charge" of a tool, "prompt:summary", "resource:file:///a", "instructions".
std::string ToString(const ItemId& id);
std::optional<ItemId> ParseItemId(std::string_view text);

enum class Trust : std::uint8_t { kFirstSeen, kAccepted };
enum class Why : std::uint8_t { kChanged, kNew, kScan, kFull };
std::string_view Word(Trust trust);
std::string_view Word(Why why);
inline constexpr std::size_t kWhys = 4;

struct Pin {
  std::string hash;
  Trust trust = Trust::kFirstSeen;
  std::string since;  // 2026-07-28T10:00:00Z
  std::string text;   // of the definition; "" = too large to keep
  bool canonical = true;

  friend bool operator==(const Pin&, const Pin&) = default;
};

// A definition that nobody has accepted, as the server gives it now.
struct Pending {
  std::string hash;
  Why why = Why::kChanged;
  bool held = true;  // quarantined; false: offered, and warned of
  std::string since;
  std::string text;
  bool canonical = true;
  std::vector<Finding> findings = {};

  friend bool operator==(const Pending&, const Pending&) = default;
};

struct Entry {
  std::optional<Pin> pin;
  std::optional<Pending> pending;

  bool empty() const { return !pin && !pending; }
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct ServerPins {
  std::string origin;  // a hash of what is started or reached, by which a renamed server is known
  std::map<ItemId, Entry> items;

  friend bool operator==(const ServerPins&, const ServerPins&) = default;
};

struct Book {
  std::map<std::string, ServerPins, std::less<>> servers;

  friend bool operator==(const Book&, const Book&) = default;
};

// A definition with more is pinned by its hash alone.
inline constexpr std::size_t kMostKept = 64 * 1024;
inline constexpr std::size_t kMostPerServer = 20'000;         // entries
inline constexpr std::size_t kMostBytes = 256 * 1024 * 1024;  // of a file

inline constexpr int kVersion = 1;

// What `file` says, which somebody else wrote, and what only `memory` knows, for it could not be
// written: what is quarantined there stays so unless the file accepts just that definition, and
// what is pinned there alone stays pinned.
Book Merged(Book file, const Book& memory);

// Sorted, a line for each value, the same for the same book: made to be compared and committed.
std::string WriteBook(const Book& book);
// kInvalid: what is wrong, and with which item. A definition that does not have its hash is wrong,
// too. Never more than kMostBytes.
Result<Book> ReadBook(std::string_view text);

}  // namespace switchyard::pins
