// Whether what a server lists may be offered, by what is pinned of it: decides, and notes in the
// book what it decided. Pure but for the book.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pins/book.h"

namespace switchyard::pins {

enum class Act : std::uint8_t { kOff, kWarn, kQuarantine };

// Of one server.
struct Rules {
  Act change = Act::kOff;      // what to do with a definition that is not the one that was pinned
  bool only_accepted = false;  // and with one that nobody accepted: the same; else it is pinned
  Act scan = Act::kOff;
  Severity threshold = Severity::kMedium;  // findings that are less are not looked at

  bool on() const { return change != Act::kOff || scan != Act::kOff; }
  friend bool operator==(const Rules&, const Rules&) = default;
};

// One item as listed.
struct Listed {
  ItemId id;
  Definition definition;
};

// What became of one that is not as it should be.
struct Verdict {
  ItemId id;
  Why why;
  bool held;          // not offered
  bool fresh = true;  // it was not known before: worth a line in the log
  std::vector<Finding> findings = {};
};

struct Judgement {
  std::vector<Verdict> verdicts;  // of items that are held or warned of, in the order of the list
  bool changed = false;           // the book
};

// `now` as in Pin::since. Entries of what is no longer listed stay, but what waits of them goes:
// a tool that is taken away and comes back changed is a changed one.
Judgement Judge(const std::string& server, const std::vector<Listed>& listed, const Rules& rules,
                const ToolNames& names, const std::string& now, Book& book);

// What waits of it becomes what is pinned. Gives its hash; "" = nothing waits, or its hash does not
// begin with `hash`.
std::string Accept(Entry& entry, std::string_view hash, const std::string& now);

}  // namespace switchyard::pins
