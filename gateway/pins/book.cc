#include "pins/book.h"

#include <algorithm>
#include <array>

#include <simdjson.h>

#include "mcp/json_string.h"
#include "mcp/scan.h"

namespace switchyard::pins {
namespace {

constexpr std::array<std::string_view, 2> kTrusts = {"first_seen", "accepted"};
constexpr std::array<std::string_view, kWhys> kWhyWords = {"changed", "new", "scan", "full"};
// Of the lists in a server's section, by Kind; of the instructions there is no list.
constexpr std::array<std::string_view, kKinds> kSections = {"tools", "prompts", "resources",
                                                            "templates", "instructions"};

template <class Words>
std::optional<std::size_t> IndexOf(const Words& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

bool IsHash(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

class Writer {
 public:
  std::string Write(const Book& book) {
    Open();
    Key("version");
    out_ += std::to_string(kVersion);
    Key("servers");
    Open();
    for (const auto& [name, server] : book.servers) {
      Key(name);
      Server(server);
    }
    Close();
    Close();
    return out_ + "\n";
  }

 private:
  void Line() { out_.append("\n").append(2 * depth_, ' '); }
  void Open() {
    out_ += '{';
    ++depth_;
    first_ = true;
  }
  void Close() {
    --depth_;
    if (!first_) Line();
    out_ += '}';
    first_ = false;
  }
  void Key(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    Line();
    out_.append(PrettyJson(mcp::Quote(key))).append(": ");
  }
  void String(std::string_view key, std::string_view text) {
    Key(key);
    out_ += PrettyJson(mcp::Quote(text));
  }

  void Server(const ServerPins& server) {
    Open();
    String("origin", server.origin);
    auto item = server.items.begin();
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const auto of_kind = [&] {
        return item != server.items.end() && item->first.kind == static_cast<Kind>(kind);
      };
      if (!of_kind()) continue;
      Key(kSections[kind]);
      if (static_cast<Kind>(kind) == Kind::kInstructions) {
        WriteEntry((item++)->second);
        continue;
      }
      Open();
      for (; of_kind(); ++item) {
        Key(item->first.name);
        WriteEntry(item->second);
      }
      Close();
    }
    Close();
  }

  void Text(const std::string& text, bool canonical) {
    Key(canonical ? "definition" : "verbatim");
    if (text.empty()) {
      out_ += "null";
    } else {
      out_ += canonical ? PrettyJson(text, 2 * depth_) : PrettyJson(mcp::Quote(text));
    }
  }

  void WriteEntry(const Entry& entry) {
    Open();
    if (entry.pin) {
      String("hash", entry.pin->hash);
      String("trust", Word(entry.pin->trust));
      String("since", entry.pin->since);
      Text(entry.pin->text, entry.pin->canonical);
    }
    if (entry.pending) {
      const Pending& pending = *entry.pending;
      Key("pending");
      Open();
      String("hash", pending.hash);
      String("why", Word(pending.why));
      String("state", pending.held ? "quarantined" : "offered");
      String("since", pending.since);
      if (!pending.findings.empty()) Findings(pending.findings);
      Text(pending.text, pending.canonical);
      Close();
    }
    Close();
  }

  void Findings(const std::vector<Finding>& findings) {
    Key("findings");
    out_ += '[';
    ++depth_;
    for (const Finding& finding : findings) {
      if (&finding != findings.data()) out_ += ',';
      Line();
      Open();
      String("rule", finding.rule);
      String("severity", Word(finding.severity));
      String("at", finding.at);
      String("excerpt", finding.excerpt);
      Close();
    }
    --depth_;
    Line();
    out_ += ']';
    first_ = false;
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

// Goes on after a mistake, as readers of the configuration do; the first one counts.
class Reader {
 public:
  const std::string& problem() const { return problem_; }

  Book Read(std::string_view text) {
    simdjson::dom::parser parser;
    if (parser.parse(text.data(), text.size()).error() != simdjson::SUCCESS) {
      Refuse("it is not valid JSON");
      return {};
    }
    // The scanner wants a value and nothing around it.
    text = text.substr(text.find_first_not_of(" \t\r\n"));
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    const mcp::Fields fields = MembersOf(text, "the file");
    const mcp::Field* version = mcp::Find(fields, "version");
    if (version == nullptr) Refuse("it has no version, so it is no pins file");
    if (version != nullptr && version->value != std::to_string(kVersion)) {
      Refuse("its version is " + std::string(version->value.substr(0, 20)) +
             ", this program knows " + std::to_string(kVersion));
    }
    if (!problem_.empty()) return {};
    Book book;
    for (const mcp::Field& field : fields) {
      if (field.key == "version") continue;
      if (field.key != "servers") Unknown(field.key, "the file");
      for (const mcp::Field& server : MembersOf(field.value, "servers")) {
        book.servers.emplace(server.key, ReadServer(server));
      }
    }
    return book;
  }

 private:
  void Refuse(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }
  void Unknown(const std::string& key, const std::string& where) {
    Refuse(where + ": unknown key " + mcp::Quote(key.substr(0, 100)));
  }

  mcp::Fields MembersOf(std::string_view raw, const std::string& where) {
    std::optional<mcp::Fields> fields = mcp::MembersOf(raw);
    if (!mcp::IsObject(raw) || !fields) {
      Refuse(where + ": is not an object");
      return {};
    }
    if (const std::string_view twice = mcp::DuplicateKey(*fields); !twice.empty()) {
      Refuse(where + ": has " + mcp::Quote(twice) + " twice");
    }
    return std::move(*fields);
  }

  std::string String(const mcp::Field& field, const std::string& where) {
    std::optional<std::string> text = mcp::Unquote(field.value);
    if (mcp::IsString(field.value) && text) return std::move(*text);
    Refuse(where + ": " + field.key + " is no text");
    return "";
  }

  template <class Words>
  std::size_t OneOf(const Words& words, const mcp::Field& field, const std::string& where) {
    const std::string word = String(field, where);
    const auto index = IndexOf(words, word);
    if (!index) Refuse(where + ": " + field.key + " cannot be " + mcp::Quote(word));
    return index.value_or(0);
  }

  ServerPins ReadServer(const mcp::Field& field) {
    const std::string where = "servers." + mcp::Quote(field.key.substr(0, 100));
    ServerPins server;
    for (const mcp::Field& member : MembersOf(field.value, where)) {
      if (member.key == "origin") {
        server.origin = String(member, where);
        continue;
      }
      const auto section = IndexOf(kSections, member.key);
      if (!section) {
        Unknown(member.key, where);
        continue;
      }
      const Kind kind = static_cast<Kind>(*section);
      if (kind == Kind::kInstructions) {
        server.items[{.kind = kind, .name = ""}] = ReadEntry(member.value, where + ".instructions");
        continue;
      }
      for (const mcp::Field& item : MembersOf(member.value, where + "." + member.key)) {
        server.items[{.kind = kind, .name = item.key}] = ReadEntry(
            item.value, where + "." + member.key + "." + mcp::Quote(item.key.substr(0, 100)));
      }
    }
    return server;
  }

  struct Kept {
    std::string hash, since, text;
    bool canonical = true;
    bool seen = false;  // there was one
  };

  // True: the key was one of them.
  bool Take(const mcp::Field& field, const std::string& where, Kept& into) {
    if (field.key == "hash") {
      into.hash = String(field, where);
    } else if (field.key == "since") {
      into.since = String(field, where);
    } else if (field.key == "definition" || field.key == "verbatim") {
      into.canonical = field.key == "definition";
      if (field.value == "null") return true;
      if (!into.canonical) {
        into.text = String(field, where);
        return true;
      }
      std::optional<std::string> text = CanonicalJson(field.value);
      if (!text) Refuse(where + ": definition cannot be read");
      into.text = text.value_or("");
    } else {
      return false;
    }
    into.seen = true;
    return true;
  }

  void Check(const Kept& kept, const std::string& where) {
    if (!IsHash(kept.hash)) Refuse(where + ": hash must be 64 of 0-9 a-f");
    if (kept.text.empty() || KeptDefinition(kept.text, kept.canonical).hash == kept.hash) return;
    Refuse(where + ": the definition does not have its hash; one of them was changed by hand");
  }

  Entry ReadEntry(std::string_view raw, const std::string& where) {
    Entry entry;
    Kept kept;
    Trust trust = Trust::kFirstSeen;
    for (const mcp::Field& field : MembersOf(raw, where)) {
      if (field.key == "pending") {
        entry.pending = ReadPending(field.value, where + ".pending");
      } else if (field.key == "trust") {
        trust = static_cast<Trust>(OneOf(kTrusts, field, where));
        kept.seen = true;
      } else if (!Take(field, where, kept)) {
        Unknown(field.key, where);
      }
    }
    if (kept.seen) {
      Check(kept, where);
      entry.pin = Pin{.hash = std::move(kept.hash),
                      .trust = trust,
                      .since = std::move(kept.since),
                      .text = std::move(kept.text),
                      .canonical = kept.canonical};
    }
    if (entry.empty()) Refuse(where + ": has neither hash nor pending");
    return entry;
  }

  Pending ReadPending(std::string_view raw, const std::string& where) {
    Pending pending;
    Kept kept;
    constexpr std::array<std::string_view, 2> kStates = {"offered", "quarantined"};
    for (const mcp::Field& field : MembersOf(raw, where)) {
      if (field.key == "why") {
        pending.why = static_cast<Why>(OneOf(kWhyWords, field, where));
      } else if (field.key == "state") {
        pending.held = OneOf(kStates, field, where) == 1;
      } else if (field.key == "findings") {
        pending.findings = ReadFindings(field.value, where);
      } else if (!Take(field, where, kept)) {
        Unknown(field.key, where);
      }
    }
    Check(kept, where);
    pending.hash = std::move(kept.hash);
    pending.since = std::move(kept.since);
    pending.text = std::move(kept.text);
    pending.canonical = kept.canonical;
    return pending;
  }

  std::vector<Finding> ReadFindings(std::string_view raw, const std::string& where) {
    const auto elements = mcp::ElementsOf(raw);
    if (!mcp::IsArray(raw) || !elements || elements->size() > kMostFindings) {
      Refuse(where + ": findings is not a list of at most " + std::to_string(kMostFindings));
      return {};
    }
    std::vector<Finding> findings;
    for (const std::string_view element : *elements) {
      Finding& finding = findings.emplace_back();
      for (const mcp::Field& field : MembersOf(element, where + ".findings")) {
        const std::string text = String(field, where);
        if (field.key == "severity") {
          const auto severity = SeverityOf(text);
          if (!severity) Refuse(where + ": severity cannot be " + mcp::Quote(text));
          finding.severity = severity.value_or(Severity::kLow);
          continue;
        }
        std::string* const into = field.key == "rule"      ? &finding.rule
                                  : field.key == "at"      ? &finding.at
                                  : field.key == "excerpt" ? &finding.excerpt
                                                           : nullptr;
        if (into == nullptr) Unknown(field.key, where + ".findings");
        if (into != nullptr) *into = text;
      }
    }
    return findings;
  }

  std::string problem_;
};

}  // namespace

std::string_view Word(Trust trust) { return kTrusts[static_cast<std::size_t>(trust)]; }
std::string_view Word(Why why) { return kWhyWords[static_cast<std::size_t>(why)]; }

std::string ToString(const ItemId& id) {
  if (id.kind == Kind::kInstructions) return "instructions";
  // A tool whose name reads like another kind keeps its own.
  if (id.kind == Kind::kTool && ParseItemId(id.name) == id) return id.name;
  return std::string(Word(id.kind)) + ":" + id.name;
}

std::optional<ItemId> ParseItemId(std::string_view text) {
  if (text == "instructions") return ItemId{.kind = Kind::kInstructions, .name = ""};
  const std::size_t colon = text.find(':');
  const auto kind = colon == std::string_view::npos ? std::nullopt : KindOf(text.substr(0, colon));
  if (kind && *kind != Kind::kInstructions) {
    return ItemId{.kind = *kind, .name = std::string(text.substr(colon + 1))};
  }
  if (text.empty()) return std::nullopt;
  return ItemId{.kind = Kind::kTool, .name = std::string(text)};
}

std::string WriteBook(const Book& book) { return Writer().Write(book); }

Result<Book> ReadBook(std::string_view text) {
  const auto refuse = [](std::string why) {
    return Failure(Code::kInvalid, Origin::kGateway, std::move(why));
  };
  if (text.size() > kMostBytes) return refuse("it is larger than 256 MiB");
  Reader reader;
  Book book = reader.Read(text);
  if (!reader.problem().empty()) return refuse(reader.problem());
  return book;
}

}  // namespace switchyard::pins
