#include "pins/definition_scan.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "mcp/json_string.h"
#include "mcp/scan.h"
#include "pins/characters.h"
#include "pins/scan_text.h"

namespace switchyard::pins {
namespace {

constexpr std::array<std::string_view, 3> kSeverities = {"low", "medium", "high"};
constexpr std::size_t kLongestExcerpt = 120;
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kProseWords = 25;  // of a value that is no description

// Of parameters that ask for what no tool needs. Without _ and -, lower case.
constexpr std::array<std::string_view, 22> kLeakNames = {
    "sidenote",      "sidenotes",          "chainofthought",   "conversationhistory",
    "chathistory",   "fullconversation",   "conversationlog",  "previousmessages",
    "allmessages",   "fullcontext",        "contextdump",      "toolcallhistory",
    "toolslist",     "availabletools",     "innermonologue",   "reasoningtrace",
    "hiddencontext", "privatenotes",       "yoursystemprompt", "sshkey",
    "exfil",         "systempromptcontent"};

std::string Folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == '.' || c == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return out;
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Not a word that a text has anyway.
bool IsTelling(std::string_view name) {
  if (name.size() < 5) return false;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    const char c = name[i];
    if (c == '_' || (c >= '0' && c <= '9')) return true;
    if (c >= 'A' && c <= 'Z' && name[i - 1] >= 'a' && name[i - 1] <= 'z') return true;
  }
  return std::ranges::count(name, '-') >= 2;
}

std::string Escaped(std::string_view key) {
  std::string out;
  for (const char c : Visible(key.substr(0, kLongestName))) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

class Scan {
 public:
  Scan(Kind kind, std::string_view server, const ToolNames& names)
      : kind_(kind), server_(server), names_(names) {}

  void Value(std::string_view raw, const std::string& at, int depth) {
    if (raw.empty()) return;
    if (mcp::IsString(raw)) {
      if (const auto text = mcp::Unquote(raw)) Text(*text, at);
    } else if (mcp::IsObject(raw)) {
      Object(raw, at, depth);
    } else if (mcp::IsArray(raw)) {
      const auto elements = mcp::ElementsOf(raw);
      if (!elements || depth == 0) return Add("unreadable", Severity::kMedium, at, "");
      std::size_t i = 0;
      for (const std::string_view element : *elements) {
        Value(element, at + "/" + std::to_string(i++), depth - 1);
      }
    }
  }

  void Add(std::string_view rule, Severity severity, const std::string& at,
           std::string_view around) {
    for (Finding& known : findings_) {
      if (known.rule != rule || known.at != at) continue;
      known.severity = std::max(known.severity, severity);
      return;
    }
    if (findings_.size() == kMostFindings) return;
    findings_.push_back(
        {.rule = std::string(rule), .severity = severity, .at = at, .excerpt = Excerpt(around)});
  }

  std::vector<Finding> Take() {
    std::ranges::sort(findings_, [](const Finding& a, const Finding& b) {
      return std::tie(b.severity, a.at, a.rule) < std::tie(a.severity, b.at, b.rule);
    });
    return std::move(findings_);
  }

 private:
  static std::string Excerpt(std::string_view around) {
    std::string cut(around.substr(0, kLongestExcerpt));
    while (!cut.empty() && !mcp::IsUtf8(cut)) {
      // Cut within a character, at either end.
      if ((static_cast<unsigned char>(cut.front()) & 0xC0) == 0x80) {
        cut.erase(0, 1);
      } else {
        cut.pop_back();
      }
    }
    return Visible(cut);
  }

  void Object(std::string_view raw, const std::string& at, int depth) {
    const std::optional<mcp::Fields> fields = mcp::MembersOf(raw);
    if (!fields || depth == 0) return Add("unreadable", Severity::kMedium, at, "");
    if (const std::string_view twice = mcp::DuplicateKey(*fields); !twice.empty()) {
      Add("unreadable", Severity::kMedium, at, twice);
    }
    const bool properties = at.ends_with("/properties");
    for (const mcp::Field& field : *fields) {
      const std::string below = at + "/" + Escaped(field.key);
      Key(field.key, below, properties);
      Value(field.value, below, depth - 1);
    }
  }

  bool Spend(std::size_t bytes, const std::string& at) {
    if (spent_ + bytes > kMostText) {
      Add("too_long", Severity::kMedium, at, "");
      return false;
    }
    spent_ += bytes;
    return true;
  }

  Report To(const std::string& at, bool raises = false) {
    return [this, &at, raises](std::string_view rule, Severity severity, std::string_view around) {
      // An order has no business in a default or an enum at all.
      const bool raised = raises && severity == Severity::kMedium;
      Add(rule, raised ? Severity::kHigh : severity, at, around);
    };
  }

  void Key(std::string_view key, const std::string& at, bool parameter) {
    if (!Spend(key.size(), at)) return;
    const Report report = To(at);
    ScanCharacters(key, report);
    ScanScripts(key, true, report);
    ScanNamePhrases(key, report);
    if (key.size() > kLongestName) Add("prose", Severity::kMedium, at, key);
    if (!parameter) return;
    if (std::ranges::find(kLeakNames, Folded(key)) != kLeakNames.end()) {
      Add("leak_parameter", Severity::kMedium, at, key);
    }
  }

  // Of a schema: a default, an enum and the like, which nobody reads as prose.
  static bool IsData(std::string_view at) {
    static constexpr std::array<std::string_view, 6> kKeys = {"/default", "/enum/",   "/const",
                                                              "/example", "/pattern", "/format"};
    return std::ranges::any_of(kKeys, [at](std::string_view key) { return at.contains(key); });
  }

  void Text(std::string_view text, const std::string& at) {
    if (!Spend(text.size(), at)) return;
    const bool name = at == "/name" || at == "/uri" || at == "/uriTemplate";
    const bool data = IsData(at);
    const Report report = To(at, data);
    ScanCharacters(text, To(at));
    ScanScripts(text, at == "/name" && kind_ != Kind::kResource && kind_ != Kind::kTemplate,
                To(at));
    if (!name) ScanLayout(text, To(at));
    name ? ScanNamePhrases(text, report) : ScanPhrases(text, report);
    if (data && std::ranges::count(text, ' ') >= static_cast<std::ptrdiff_t>(kProseWords)) {
      Add("prose", Severity::kMedium, at, text);
    }
    if (name && kind_ == Kind::kTool) Lookalike(text, at);
    if (!name) OtherTools(text, at);
  }

  void Lookalike(std::string_view text, const std::string& at) {
    const std::string other = names_.LookalikeOf(text.substr(0, kLongestName), server_);
    if (!other.empty()) Add("lookalike", Severity::kHigh, at, std::string(text) + " ~ " + other);
  }

  // Whoever tells how to use it means to change how it is used.
  static bool Directs(std::string_view sentence) {
    static constexpr std::array<std::string_view, 14> kOrders = {
        "must",    "always", "never",   "instead", "before", "first",  "should",
        "require", "ensure", "replace", "do not",  "don't",  "prefer", "rather"};
    const std::string plain = PlainWords(sentence);
    return std::ranges::any_of(kOrders,
                               [&](std::string_view word) { return plain.contains(word); });
  }

  void OtherTools(std::string_view text, const std::string& at) {
    for (std::size_t begin = 0; begin < text.size();) {
      if (!IsNameByte(text[begin])) {
        ++begin;
        continue;
      }
      std::size_t end = begin;
      while (end < text.size() && IsNameByte(text[end])) ++end;
      const std::string_view word = text.substr(begin, end - begin);
      if (word.size() <= kLongestName && names_.IsOfOthers(word, server_)) {
        const std::size_t from = begin > 80 ? begin - 80 : 0;
        const std::string_view around = text.substr(from, end - from + 80);
        Add("other_tool", Directs(around) ? Severity::kHigh : Severity::kMedium, at, around);
      }
      begin = end;
    }
  }

  const Kind kind_;
  const std::string_view server_;
  const ToolNames& names_;
  std::size_t spent_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view Word(Severity severity) { return kSeverities[static_cast<std::size_t>(severity)]; }

std::optional<Severity> SeverityOf(std::string_view word) {
  const auto found = std::ranges::find(kSeverities, word);
  if (found == kSeverities.end()) return std::nullopt;
  return static_cast<Severity>(found - kSeverities.begin());
}

const std::vector<std::string_view>& RuleNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all = {
        "bidi",         "control",    "encoded",       "invisible", "lookalike",
        "mixed_script", "other_tool", "private_use",   "prose",     "too_long",
        "unreadable",   "whitespace", "leak_parameter"};
    for (const PhraseRule& phrase : PhraseRules()) all.push_back(phrase.rule);
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
  }();
  return names;
}

void ToolNames::Add(std::string_view server, std::string_view prefix, std::string_view tool) {
  if (tool.empty() || tool.size() > kLongestName) return;
  by_name_[std::string(tool)].emplace(server);
  if (!prefix.empty()) {
    by_name_[std::string(prefix).append("__").append(tool)].emplace(server);
  }
  by_skeleton_[SkeletonOf(tool)][std::string(tool)].emplace(server);
}

bool ToolNames::IsOfOthers(std::string_view word, std::string_view server) const {
  if (!IsTelling(word)) return false;
  const auto found = by_name_.find(word);
  return found != by_name_.end() && !found->second.contains(server);
}

std::string ToolNames::LookalikeOf(std::string_view tool, std::string_view server) const {
  if (tool.size() < 4) return "";
  std::size_t swaps = 0;
  const auto alike = by_skeleton_.find(SkeletonOf(tool, &swaps));
  if (alike == by_skeleton_.end()) return "";
  for (const auto& [name, servers] : alike->second) {
    const bool others = !servers.contains(server);
    const bool same_but_case = Folded(name) == Folded(tool);
    if (!others || same_but_case) continue;
    std::size_t own = 0;
    SkeletonOf(name, &own);
    // The plain one is the original.
    if (swaps >= own) return name;
  }
  return "";
}

std::vector<Finding> ScanDefinition(Kind kind, const Definition& definition,
                                    std::string_view server, const ToolNames& names) {
  Scan scan(kind, server, names);
  if (!definition.canonical) {
    scan.Add("unreadable", Severity::kMedium, "",
             std::string_view(definition.text).substr(0, kLongestExcerpt));
  }
  scan.Value(definition.text, "", kDeepest);
  return scan.Take();
}

}  // namespace switchyard::pins
