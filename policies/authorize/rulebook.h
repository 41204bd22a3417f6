// All rules that speak for some calls, compiled so that a decision looks at those alone that can
// matter to it. Pure.
//
// Rules are numbered. Three sets of numbers are intersected, 64 at a time: the rules of a server,
// those of a caller at an endpoint, and those under an item's name, which an index finds by name or
// by the beginning of a glob. What is left decides; conditions on arguments and time (`when`) are
// evaluated of these alone.
//
//   any rule that denies without a `when`        hidden
//   no rule that allows, with or without one     hidden
//   a rule that denies, whose `when` holds       denied
//   a rule that allows, or wants an approval,
//   whose `when` holds                           allowed; one that wants an approval is noted, also
//                                                where it cannot be told whether it holds
//   else                                         denied
//
// Immutable but for a bounded cache of callers; safe to use from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/string_hash.h"
#include "core/agent_directory.h"
#include "core/definition.h"
#include "core/principal.h"
#include "policies/authorize/rule.h"
#include "policies/authorize/rule_set.h"

namespace switchyard::policies::authorize {

enum class Outcome : std::uint8_t { kAllowed, kDenied, kHidden };

inline constexpr std::size_t kNoRule = static_cast<std::size_t>(-1);

struct Verdict {
  Outcome outcome = Outcome::kHidden;
  std::size_t rule = kNoRule;  // that decided, by its number; kNoRule: none allows it
  // Of kDenied: what the caller might change.
  bool by_arguments = false, by_time = false;
  std::size_t approval = kNoRule;  // of kAllowed: that wants a person to approve it
};

struct Question {
  ItemKind kind = ItemKind::kTool;
  std::string_view name;  // by its server; of a resource or a template as anybody wrote it
  Use use = Use::kCallTool;
  std::string_view arguments = {};  // raw JSON object, "" = none
  WallTime now = {};
  std::span<const Paced> paced = {};
};

class Rulebook {
 public:
  // The most callers that are kept; beyond it some are looked at anew.
  static constexpr std::size_t kMaxCallers = 4096;

  // `agents` outlives it; null: what agents can do counts for nothing.
  explicit Rulebook(std::vector<std::shared_ptr<const Rule>> rules,
                    const AgentDirectory* agents = nullptr);
  Rulebook(const Rulebook&) = delete;

  RuleSet RulesOf(std::string_view server) const;
  // Whose `who` holds, and that are of the endpoint ("" = /mcp). For the same object as at an
  // earlier call it is found at once, unless its agents can do something else by now.
  std::shared_ptr<const RuleSet> RulesFor(const Caller& caller, std::string_view endpoint) const;

  Verdict Decide(const RuleSet& of_server, const RuleSet& for_caller,
                 const Question& question) const;
  // Of the rules that have a say, those that count calls and for which all else holds: what
  // Question::paced is to tell of. They live as long as the book.
  std::vector<const Rule*> PacedFor(const RuleSet& of_server, const RuleSet& for_caller,
                                    const Question& question) const;
  // Whether Decide() says kHidden: what it says then.
  std::optional<Verdict> Hides(const RuleSet& of_server, const RuleSet& for_caller,
                               const Question& question) const;
  // Of what it denied: all scopes that a rule takes to allow it, of the rule that needs the fewest;
  // empty: no scope would help.
  std::vector<std::string> ScopesFor(const RuleSet& of_server, const Principal& caller,
                                     std::string_view endpoint, const Question& question) const;
  // Whether Decide() could say anything but kHidden, of any use.
  bool Could(const RuleSet& of_server, const RuleSet& for_caller, ItemKind kind,
             std::string_view name) const;
  // Whether it could of any item of this kind.
  bool CouldAny(const RuleSet& of_server, const RuleSet& for_caller, ItemKind kind) const;

  bool counts() const { return counts_; }  // whether any rule does
  bool names_capabilities() const { return names_capabilities_; }

  // Two books with the same number hide the same.
  std::uint64_t SightKey() const { return sight_key_; }

  const std::vector<std::shared_ptr<const Rule>>& rules() const { return rules_; }

 private:
  static constexpr std::size_t kShards = 16;
  // Of tools, prompts and resources by their ItemKind, and of resources as those read them who
  // decode first (policies/lib/uri_form.h).
  static constexpr std::size_t kNames = 4, kDecoded = 3;

  using Postings = std::unordered_map<std::string, Posting, StringHash, std::equal_to<>>;
  // Globs by a part of theirs that is the beginning, or the end, of whatever they match; first by
  // how long that is.
  using Parts = std::unordered_map<std::string, Postings, StringHash, std::equal_to<>>;
  using ByLength = std::vector<std::pair<std::size_t, Parts>>;
  // What is said of the names of one kind of items.
  struct Names {
    Posting all;  // rules for whatever it is called
    Postings plain;
    ByLength begins, ends;  // the latter of globs that begin with a star
    RuleSet any, every;     // rules that speak of some items of the kind, of all of them
  };
  struct Known {
    Caller caller;  // kept, so that nobody else has its address
    std::vector<std::pair<std::string, std::shared_ptr<const RuleSet>>> by_endpoint;
    AgentDirectory::WordsPtr agents;  // of all by_endpoint
    std::uint64_t version = 0;        // of the directory when those were asked for
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<const Principal*, Known> known;  // guarded by mutex
  };
  struct Findings;

  void Index(std::size_t names, const std::vector<std::string>& globs, std::size_t rule);
  static void AddGlob(Names& names, const std::string& glob, std::size_t rule);
  static void Seal(Names& names, std::size_t rules);
  const Names& NamesOf(ItemKind kind) const { return names_.at(static_cast<std::size_t>(kind)); }
  AgentDirectory::WordsPtr AgentsOf(const Principal& caller) const;
  std::uint64_t AgentsVersion() const;
  RuleSet Judge(const Principal& principal, const AgentDirectory::WordsPtr& agents,
                std::string_view endpoint) const;
  void See(std::size_t rule, Use use, Findings& found) const;
  void Find(const RuleSet& of_server, const RuleSet& for_caller, const Names& names,
            std::string_view name, Use use, Findings& found) const;
  void FindTemplate(const RuleSet& of_server, const RuleSet& for_caller, std::string_view name,
                    Use use, Findings& found) const;
  Verdict DecideBy(Findings found, const Question& question) const;
  // What each reading of the name says, until one of them is said false to.
  template <class Visit>
  void ForReadings(const RuleSet& of_server, const RuleSet& for_caller, const Question& question,
                   Visit visit) const;

  const std::vector<std::shared_ptr<const Rule>> rules_;
  const std::uint64_t sight_key_;
  const bool counts_, names_capabilities_;
  const AgentDirectory* const agents_;  // null: no rule asks
  std::vector<const Who*> whos_;        // each condition once
  std::vector<std::size_t> who_of_;     // by rule
  std::array<Names, kNames> names_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace switchyard::policies::authorize
