#include "policies/audit/arguments.h"

#include <algorithm>
#include <cstdint>
#include <forward_list>
#include <utility>

#include <boost/container/small_vector.hpp>

#include "base/ascii.h"
#include "base/digest.h"
#include "base/glob.h"
#include "mcp/json_string.h"

namespace switchyard::policies::audit {
namespace {

using json_schema::JsonDoc;

class Writer {
 public:
  Writer(const JsonDoc& doc, const Redaction* redaction) : doc_(doc), redaction_(redaction) {}

  bool Write(std::uint32_t i, const std::string& place) {
    if (redaction_ != nullptr && redaction_->HidesPlace(place)) return Hide();
    switch (doc_[i].kind) {
      case JsonDoc::Kind::kString: out_ += mcp::Quote(doc_.Text(i, scratch_)); return true;
      case JsonDoc::Kind::kArray: return WriteArray(i, place);
      case JsonDoc::Kind::kObject: return WriteObject(i, place);
      default: out_.append(doc_.Raw(i)); return true;
    }
  }
  std::string& out() { return out_; }

 private:
  bool Hide() {
    out_ += R"("***")";
    return true;
  }

  // Only where somebody looks at places.
  std::string Below(const std::string& place, std::string_view name) const {
    if (redaction_ == nullptr || !redaction_->has_places()) return {};
    std::string below = place + "/";
    for (const char c : name) {
      if (c == '~') {
        below += "~0";
      } else if (c == '/') {
        below += "~1";
      } else {
        below += c;
      }
    }
    return below;
  }

  bool WriteArray(std::uint32_t i, const std::string& place) {
    out_ += '[';
    std::uint32_t element = i + 1;
    for (std::uint32_t n = 0; n < doc_[i].count; ++n, element = doc_[element].after) {
      if (n > 0) out_ += ',';
      if (!Write(element, Below(place, std::to_string(n)))) return false;
    }
    out_ += ']';
    return true;
  }

  bool WriteObject(std::uint32_t i, const std::string& place) {
    boost::container::small_vector<std::pair<std::string_view, std::uint32_t>, 8> members;
    std::forward_list<std::string> unescaped;
    std::uint32_t key = i + 1;
    for (std::uint32_t n = 0; n < doc_[i].count; ++n) {
      std::string_view text = doc_.Text(key, scratch_);
      if (doc_[key].escaped) text = unescaped.emplace_front(text);
      members.emplace_back(text, key + 1);
      key = doc_[key + 1].after;
    }
    std::ranges::sort(members);
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::ranges::adjacent_find(members, same) != members.end()) return false;
    out_ += '{';
    for (const auto& [name, value] : members) {
      if (&name != &members.front().first) out_ += ',';
      out_ += mcp::Quote(name);
      out_ += ':';
      if (redaction_ != nullptr && redaction_->HidesName(name)) {
        Hide();
      } else if (!Write(value, Below(place, name))) {
        return false;
      }
    }
    out_ += '}';
    return true;
  }

  const JsonDoc& doc_;
  const Redaction* const redaction_;
  std::string scratch_, out_;
};

}  // namespace

Redaction::Redaction(const std::vector<std::string>& more) {
  for (const std::string& one : more) {
    if (one.starts_with('/')) {
      places_.push_back(one);
    } else {
      names_.push_back(LowerAscii(one));
    }
  }
}

const std::vector<std::string>& Redaction::Always() {
  static const std::vector<std::string> names = {
      "*password*",    "*passwd*",     "*passphrase*",    "*secret*",     "*token*",
      "*api_key*",     "*api-key*",    "*apikey*",        "*access_key*", "*accesskey*",
      "*private*key*", "*credential*", "*authorization*", "*cookie*",     "*session_id*"};
  return names;
}

bool Redaction::HidesName(std::string_view name) const {
  const std::string lower = LowerAscii(name);
  const auto hides = [&lower](const std::string& glob) { return GlobMatches(glob, lower); };
  return std::ranges::any_of(Always(), hides) || std::ranges::any_of(names_, hides);
}

bool Redaction::HidesPlace(std::string_view pointer) const {
  return std::ranges::any_of(
      places_, [pointer](const std::string& glob) { return GlobMatches(glob, pointer); });
}

std::optional<std::string> CanonicalText(const JsonDoc::Read& read, const Redaction* redaction) {
  if (!read) return std::nullopt;
  Writer writer(*read, redaction);
  if (!writer.Write(0, "")) return std::nullopt;
  return std::move(writer.out());
}

std::string DigestOf(std::string_view raw, const JsonDoc::Read& read) {
  if (const std::optional<std::string> text = CanonicalText(read)) return Sha256(*text);
  return "raw:" + Sha256(raw);
}

}  // namespace switchyard::policies::audit
