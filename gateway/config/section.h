// Strict, typed access to one YAML mapping. A reader asks for every key that it knows; whatever was
// not asked for is reported as unknown, with the nearest right key, when the Section ends. Every
// wrong value is reported to the Document's Problems with its position and key path and reads as
// absent, so that a reader just continues with its default:
//
//   if (auto total = section.Duration("total", 1ms)) settings.total = *total;
//
// Not thread-safe. Borrows its Document, which must outlive it. Ask for the same keys on every path
// through a reader: keys asked for only under a condition would be "unknown" without it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.h"
#include "config/secret.h"

namespace switchyard::config {

class Environment;
class Remembered;
class Section;
struct Expanded;
struct Node;

// One mapping of a document, to be read again when the document is gone: Document(excerpt). A
// value.
struct Excerpt {
  std::shared_ptr<const Node> map;
  Mark at;
  std::string path, shape, file;
  std::shared_ptr<Remembered> environment;

  // An empty mapping: what a reader makes of it are its defaults.
  static Excerpt Nothing();
};

// One value that a reader took from an excerpt, or would have taken.
struct Reading {
  std::string path;   // within the excerpt: total, windows[0].limit
  std::string value;  // in effect; what came from ${...} in a string reads as it was written
  bool given = false;
  Mark at;
};

// One parsed text: owns the tree, the Problems and the record of asked keys. Borrows Environment.
class Document {
 public:
  Document(std::string text, std::string file, const Environment& environment);
  // Again what was read before. Root() is the excerpt's mapping; problems keep their places.
  explicit Document(const Excerpt& excerpt);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Absent, with the problem reported, when the text is not YAML or not one mapping.
  std::optional<Section> Root();

  // Scalars that readers took as what may be secret, or said to be.
  const std::set<const Node*>& secrets() const { return secrets_; }

  // What its ${...} stood for; outlives the document.
  std::shared_ptr<const Remembered> environment() const { return environment_; }

  Problems& problems() { return problems_; }
  const Problems& problems() const { return problems_; }

  // Every key that any reader asked for, by the shape of its mapping ("servers.*" for each server).
  const std::map<std::string, std::set<std::string>>& asked() const { return asked_; }

  // Reports what Section::ServerName() and the like were given and is none of these.
  void CheckNames(const std::vector<std::string>& servers,
                  const std::vector<std::string>& endpoints);

  // Of an excerpt, once its Section is gone: what each of its keys came to.
  const std::vector<Reading>& readings() const { return readings_; }
  // Of an excerpt of a policy: why it does nothing, "" = it does something; and whether it does
  // where nothing is said.
  const std::string& why_off() const { return why_off_; }
  bool on_unsaid() const { return on_unsaid_; }

 private:
  friend class Section;

  // Where `token`, found at `offset` of a scalar's value, stands in the text.
  Mark Locate(const Node& scalar, std::string_view token, std::size_t offset) const;
  std::string Directory() const;

  const std::string text_;
  const std::shared_ptr<Remembered> environment_;
  Problems problems_;
  std::shared_ptr<const Node> root_;
  const std::optional<Excerpt> excerpt_;
  std::map<std::string, std::set<std::string>> asked_;
  std::set<const Node*> secrets_;  // not kept of excerpts
  std::vector<Reading> readings_;  // kept of excerpts only
  std::string why_off_;
  bool on_unsaid_ = false;
  struct Reference {
    Mark at;
    std::string path, name;
    bool endpoint = false;  // by its path; else a server
    bool may_be_glob = false;
  };
  std::vector<Reference> references_;
};

class Section {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  Section(Section&& other) noexcept;
  Section& operator=(Section&&) = delete;
  ~Section();  // calls Finish()

  // True when the key is present, whatever its value. Counts as asked for.
  bool Has(std::string_view key);

  // Each: absent key -> nullopt; wrong value -> problem and nullopt. ${...} is expanded in all.
  std::optional<std::string> String(std::string_view key);
  std::optional<bool> Bool(std::string_view key);
  std::optional<std::int64_t> Integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> Number(std::string_view key, double min, double max);
  // 250ms, 1.5s, 5m, 2h; units ns us ms s m h d. A number without a unit is a problem.
  std::optional<Nanoseconds> Duration(std::string_view key, Nanoseconds min = Nanoseconds(0),
                                      Nanoseconds max = std::chrono::hours(24 * 365));
  // 64KiB, 4MB, 512B, or a plain number of bytes.
  std::optional<std::size_t> Bytes(std::string_view key, std::size_t min = 0,
                                   std::size_t max = std::numeric_limits<std::int64_t>::max());
  // One of the allowed words.
  std::optional<std::string> Enum(std::string_view key,
                                  std::initializer_list<std::string_view> allowed);
  std::optional<std::vector<std::string>> Strings(std::string_view key);
  std::optional<std::map<std::string, std::string>> StringMap(std::string_view key);

  // As above for values that may hold secrets. Shown() of the first two is the text as written in
  // the file (${TOKEN} unexpanded, defaults cut off); in a SecretMap every value shows as ***.
  std::optional<Secret> SecretString(std::string_view key);
  std::optional<std::vector<Secret>> SecretStrings(std::string_view key);
  std::optional<std::map<std::string, Secret>> SecretMap(std::string_view key);
  // All that is at the key may be secret, in whatever way it is read.
  void IsSecret(std::string_view key);

  // Reads into a setting that holds its default, or what it inherits, and notes what it came to,
  // for `switchyard check --explain`. True when the key gave a value. The way for settings of
  // policies.
  bool Take(std::string_view key, bool& into);
  bool Take(std::string_view key, double& into, double min, double max);
  bool Take(std::string_view key, std::string& into);
  bool Take(std::string_view key, std::vector<std::string>& into);
  bool Take(std::string_view key, Nanoseconds& into, Nanoseconds min = Nanoseconds(0),
            Nanoseconds max = std::chrono::hours(24 * 365));
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  bool Take(std::string_view key, T& into, std::int64_t min, std::int64_t max) {
    const std::optional<std::int64_t> value = Integer(key, min, max);
    if (value) into = static_cast<T>(*value);
    Shows(key, std::to_string(into));
    return value.has_value();
  }
  bool TakeBytes(std::string_view key, std::size_t& into, std::size_t min = 0,
                 std::size_t max = std::numeric_limits<std::int64_t>::max());
  // Any value, as JSON: plain scalars that JSON has a word or number for are that, all else in
  // scalars is a string. ${...} is expanded in strings.
  std::optional<std::string> Json(std::string_view key);
  // A name of a server of this document: one that it does not have is reported when all are read.
  std::optional<std::string> ServerName(std::string_view key);
  // A value of the key is a glob over the servers, or the paths of the endpoints, of this document:
  // a name that it does not have is reported when all are read, and so is, as a warning, a pattern
  // that fits none.
  void MeansServers(std::string_view key, const std::string& glob) { Means(key, glob, false); }
  void MeansEndpoints(std::string_view key, const std::string& glob) { Means(key, glob, true); }

  // For a key that is read in another way: what it came to.
  void Shows(std::string_view key, std::string value);
  // With what was read the policy does nothing, and `why`: max_in_flight: 0. For who explains it.
  void IsOff(std::string why);
  // Where nothing is said of it the policy does something all the same.
  void IsOnUnsaid();

  // A mapping; a mapping of names to mappings, in file order; a list of mappings.
  std::optional<Section> Child(std::string_view key, std::string_view expected = "a mapping");
  std::vector<std::pair<std::string, Section>> Children(std::string_view key);
  std::vector<Section> Items(std::string_view key);

  // For keys that may be written in more than one way.
  bool IsMapping(std::string_view key);
  bool IsList(std::string_view key);

  // Reports at the key's value when it is present, else at this mapping; the path names the key.
  // An item of a list or map is named `key.item` or `key[2]`. An empty key means the mapping.
  void Error(std::string_view key, std::string message);
  void Warning(std::string_view key, std::string message);

  // Keys that begin so are nobody's: a place for anchors (`x-`).
  void Ignore(std::string_view prefix);

  // This mapping, to be read again later.
  Excerpt Keep() const;

  // Reports keys that nobody asked for. Idempotent.
  void Finish();

  const std::string& path() const { return path_; }

 private:
  friend class Document;

  Section(Document& document, std::shared_ptr<const Node> map, Mark at, std::string path,
          std::string shape);

  void Means(std::string_view key, const std::string& glob, bool endpoint);
  bool records() const { return document_->excerpt_.has_value(); }
  void Note(std::string_view key, std::string value, bool given);
  void NoteTheRest();

  const Node* Ask(std::string_view key);
  const Node* Find(std::string_view key) const;
  Mark MarkOf(std::string_view key) const;
  std::string PathOf(std::string_view key) const;
  std::string ShapeOf(std::string_view key) const;
  void Wrong(const Node& node, Mark at, std::string path, std::string_view expected,
             std::string_view hint = {});
  void WrongShape(const Node& node, std::string_view key, std::string_view expected);
  const Node* Scalar(std::string_view key, std::string_view expected);
  std::optional<Secret> Text(std::string_view key);
  std::optional<Expanded> Read(const Node& node, const std::string& path,
                               std::string_view expected);
  bool AppendJson(const Node& node, const std::string& path, std::string& out);
  enum class Quotes : std::uint8_t { kMatter, kAreFine };
  template <class T, class Parse>
  std::optional<T> Parsed(std::string_view key, const char* expected, Parse parse,
                          Quotes quotes = Quotes::kMatter);
  template <class T, class Make>
  std::optional<std::vector<T>> ListOf(std::string_view key, Make make);
  template <class T, class Make>
  std::optional<std::map<std::string, T>> MapOf(std::string_view key, Make make);

  Document* document_;  // null once moved from or finished
  std::shared_ptr<const Node> map_;
  Mark at_;
  std::string path_;
  std::string shape_;
  std::set<std::string> asked_;
  std::set<std::string>
      noted_;  // of asked_: in the document's readings, or they note what is in them
  std::vector<std::string> ignored_;
};

}  // namespace switchyard::config
