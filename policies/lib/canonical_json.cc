#include "policies/lib/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <forward_list>
#include <functional>
#include <iterator>
#include <utility>

#include <boost/container/small_vector.hpp>

namespace switchyard::policies {
namespace {

using json_schema::JsonDoc;

// Writes where there is room for the longest that a value can become.
class Writer {
 public:
  explicit Writer(const JsonDoc& doc) : doc_(doc) {}

  // Behind what is in `out`. False: an object has the same key twice.
  bool Append(std::string& out, std::uint32_t i) {
    // A string loses its quotes and gets a quote, a colon and at most ten digits.
    const std::size_t most = doc_.Raw(i).size() + 10 * std::size_t{doc_[i].after - i};
    const std::size_t before = out.size();
    bool good = false;
    out.resize_and_overwrite(before + most, [&](char* text, std::size_t) {
      at_ = text + before;
      good = Write(i);
      return static_cast<std::size_t>(at_ - text);
    });
    return good;
  }

 private:
  bool Write(std::uint32_t i) {
    switch (doc_[i].kind) {
      case JsonDoc::Kind::kString: WriteText(doc_.Text(i, scratch_)); return true;
      case JsonDoc::Kind::kArray: return WriteArray(i);
      case JsonDoc::Kind::kObject: return WriteObject(i);
      default: Put(doc_.Raw(i)); return true;
    }
  }

  void Put(char c) { *at_++ = c; }
  void Put(std::string_view text) { at_ += text.copy(at_, text.size()); }

  // With its length: no text can pass for another, whatever stands in it.
  void WriteText(std::string_view text) {
    Put('"');
    if (text.size() < 10) {
      Put(static_cast<char>('0' + text.size()));
    } else {
      at_ = std::to_chars(at_, at_ + 10, text.size()).ptr;
    }
    Put(':');
    Put(text);
  }

  bool WriteArray(std::uint32_t i) {
    Put('[');
    std::uint32_t element = i + 1;
    for (std::uint32_t n = 0; n < doc_[i].count; ++n, element = doc_[element].after) {
      if (n > 0) Put(',');
      if (!Write(element)) return false;
    }
    Put(']');
    return true;
  }

  using Members = boost::container::small_vector<std::pair<std::string_view, std::uint32_t>, 8>;

  // False: two have the same name.
  static bool Sort(Members& members) {
    const auto ascend = [](const auto& a, const auto& b) { return a.first < b.first; };
    const auto fault = [&] {
      return std::ranges::adjacent_find(members, std::not_fn(ascend)) != members.end();
    };
    if (!fault()) return true;  // most writers sort them, or have few
    std::ranges::sort(members, ascend);
    return !fault();
  }

  bool WriteObject(std::uint32_t i) {
    Members members;
    std::forward_list<std::string> unescaped;
    std::uint32_t key = i + 1;
    for (std::uint32_t n = 0; n < doc_[i].count; ++n) {
      std::string_view text = doc_.Text(key, scratch_);
      if (doc_[key].escaped) text = unescaped.emplace_front(text);
      members.emplace_back(text, key + 1);
      key = doc_[key + 1].after;
    }
    if (!Sort(members)) return false;
    Put('{');
    for (const auto& [name, value] : members) {
      if (&name != &members.front().first) Put(',');
      WriteText(name);
      Put('=');
      if (!Write(value)) return false;
    }
    Put('}');
    return true;
  }

  const JsonDoc& doc_;
  std::string scratch_;
  char* at_ = nullptr;
};

}  // namespace

std::optional<std::string> CanonicalJson(std::string_view raw) {
  return CanonicalJson(JsonDoc::Parse(raw));
}

std::optional<std::string> CanonicalJson(const JsonDoc::Read& read) {
  if (!read) return std::nullopt;
  std::optional<std::string> out(std::in_place);
  if (!Writer(*read).Append(*out, 0)) out.reset();
  return out;
}

std::expected<KeyTemplate, std::string> KeyTemplate::Parse(std::string_view text) {
  KeyTemplate made;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t open = rest.find_first_of("{}");
    Part part{.text = std::string(rest.substr(0, open)), .field = {}};
    if (open == std::string_view::npos) {
      made.parts_.push_back(std::move(part));
      break;
    }
    const std::size_t close = rest.find_first_of("{}", open + 1);
    if (rest[open] != '{' || close == std::string_view::npos || rest[close] != '}') {
      return std::unexpected("braces must enclose the name of an argument: {start}");
    }
    std::string_view path = rest.substr(open + 1, close - open - 1);
    for (;;) {
      const std::size_t dot = path.find('.');
      if (path.empty() || dot == 0) {
        return std::unexpected("an argument between braces has no name");
      }
      part.field.emplace_back(path.substr(0, dot));
      if (dot == std::string_view::npos) break;
      path.remove_prefix(dot + 1);
    }
    made.parts_.push_back(std::move(part));
    rest.remove_prefix(close + 1);
  }
  if (made.parts_.empty()) return std::unexpected("must not be empty");
  return made;
}

std::optional<std::string> KeyTemplate::Fill(std::string_view arguments) const {
  return Fill(JsonDoc::Parse(arguments));
}

std::optional<std::string> KeyTemplate::Fill(const JsonDoc::Read& doc) const {
  // What two readers may read as two values has no key at all.
  if (!CanonicalJson(doc)) return std::nullopt;
  Writer writer(*doc);
  std::string out;
  for (const Part& part : parts_) {
    out.append(part.text);
    if (part.field.empty()) continue;
    std::uint32_t at = 0;
    for (const std::string& name : part.field) {
      at = (*doc)[at].kind == JsonDoc::Kind::kObject ? doc->Find(at, name) : 0;
      if (at == 0) return std::nullopt;
    }
    writer.Append(out, at);
    out += ';';  // where a number ends
  }
  return out;
}

}  // namespace switchyard::policies
