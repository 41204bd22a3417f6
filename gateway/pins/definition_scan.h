// What in a definition may be meant for the model and not for the person who reads it: hidden
// characters, orders, other servers' tools, ways for data to leave. Rules over characters and words
// alone, so the same text gives the same findings; they miss what is said in other words or another
// language, and a finding is a reason to look, not a proof.
//
// Pure; safe from any thread. Takes time linear in the text, and reads kMostText bytes of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pins/definition.h"

namespace switchyard::pins {

enum class Severity : std::uint8_t { kLow, kMedium, kHigh };
std::string_view Word(Severity severity);
std::optional<Severity> SeverityOf(std::string_view word);

struct Finding {
  std::string rule;  // of RuleNames()
  Severity severity = Severity::kLow;
  std::string at;       // a JSON pointer into the definition
  std::string excerpt;  // safe to print (Visible()), not long

  friend bool operator==(const Finding&, const Finding&) = default;
};
inline constexpr std::size_t kMostFindings = 32;  // of one definition
inline constexpr std::size_t kMostText = 256 * 1024;

// Every rule there is: a closed set, for labels of metrics.
const std::vector<std::string_view>& RuleNames();

// The tools of all servers, to know a description that speaks of somebody else's.
class ToolNames {
 public:
  void Add(std::string_view server, std::string_view prefix, std::string_view tool);

  // Whether it is a tool of other servers alone, by its own name or as clients know it. Names that
  // are plain words are nobody's.
  bool IsOfOthers(std::string_view word, std::string_view server) const;
  // Another server's tool whose name reads alike, though it is another one; "" = none.
  std::string LookalikeOf(std::string_view tool, std::string_view server) const;

  friend bool operator==(const ToolNames&, const ToolNames&) = default;

 private:
  using Servers = std::set<std::string, std::less<>>;
  std::map<std::string, Servers, std::less<>> by_name_;
  std::map<std::string, std::map<std::string, Servers>, std::less<>> by_skeleton_;
};

// The gravest first. `server` is whose it is.
std::vector<Finding> ScanDefinition(Kind kind, const Definition& definition,
                                    std::string_view server, const ToolNames& names);

}  // namespace switchyard::pins
