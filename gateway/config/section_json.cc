// What a Section gives out that is not for the gateway itself: values for servers and clients, as
// JSON; and names that must be those of servers and endpoints.
#include <algorithm>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/glob.h"
#include "config/expand.h"
#include "config/section.h"
#include "config/text_check.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

std::string JsonString(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

// Whether a plain scalar is a literal of JSON: true, false, null or a number as JSON writes it.
bool IsLiteral(const std::string& text) {
  if (text.empty() || text.front() == '"' || text.front() == '{' || text.front() == '[') {
    return false;
  }
  boost::system::error_code error;
  boost::json::parse(text, error);
  return !error;
}

}  // namespace

bool Section::AppendJson(const Node& node, const std::string& path, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kNull: out += "null"; return true;
    case Node::Kind::kScalar: {
      const std::optional<Expanded> text = Read(node, path, "a value");
      if (!text) return false;
      if (const auto bad = FindBadByte(text->value)) {  // of a file; the rest was looked at
        document_->problems_.Error(node.at, path, bad->message);
        return false;
      }
      const bool literal = (!node.quoted || text->expanded) && IsLiteral(text->value);
      out += literal ? text->value : JsonString(text->value);
      return true;
    }
    case Node::Kind::kList: {
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out += ',';
        if (!AppendJson(*node.items[i], path + "[" + std::to_string(i) + "]", out)) return false;
      }
      out += ']';
      return true;
    }
    case Node::Kind::kMap: {
      out += '{';
      for (std::size_t i = 0; i < node.entries.size(); ++i) {
        const Entry& entry = node.entries[i];
        out.append(i > 0 ? "," : "").append(JsonString(entry.key)).append(":");
        if (!AppendJson(*entry.value, path + "." + Printable(entry.key), out)) return false;
      }
      out += '}';
      return true;
    }
  }
  return false;
}

std::optional<std::string> Section::Json(std::string_view key) {
  const Node* node = Ask(key);
  if (node == nullptr) return std::nullopt;
  std::string out;
  if (!AppendJson(*node, PathOf(key), out)) return std::nullopt;
  return out;
}

std::optional<std::string> Section::ServerName(std::string_view key) {
  std::optional<std::string> name = String(key);
  // What is read again was checked when it was read first.
  if (name && !records()) {
    document_->references_.push_back({.at = MarkOf(key), .path = PathOf(key), .name = *name});
  }
  return name;
}

void Section::Means(std::string_view key, const std::string& glob, bool endpoint) {
  if (records()) return;
  document_->references_.push_back({.at = MarkOf(key),
                                    .path = PathOf(key),
                                    .name = glob,
                                    .endpoint = endpoint,
                                    .may_be_glob = true});
}

void Document::CheckNames(const std::vector<std::string>& servers,
                          const std::vector<std::string>& endpoints) {
  for (Reference& reference : references_) {
    const std::vector<std::string>& known = reference.endpoint ? endpoints : servers;
    const bool pattern =
        reference.may_be_glob && reference.name.find_first_of("*?") != std::string::npos;
    if (std::ranges::any_of(known, [&](const std::string& name) {
          return pattern ? GlobMatches(reference.name, name) : name == reference.name;
        })) {
      continue;
    }
    const std::string_view kind = reference.endpoint ? "endpoint" : "server";
    if (pattern) {
      problems_.Warning(reference.at, std::move(reference.path),
                        Quote(reference.name).append(" fits no ").append(kind).append(" here: ") +
                            Listing(known));
      continue;
    }
    const std::string hint = DidYouMean(reference.name, known);
    problems_.Error(reference.at, std::move(reference.path),
                    std::string("unknown ").append(kind).append(" ") + Quote(reference.name) +
                        hint + (hint.empty() ? ", known: " : " known: ") + Listing(known));
  }
  references_.clear();
}

}  // namespace switchyard::config
