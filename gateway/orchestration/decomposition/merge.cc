#include "orchestration/decomposition/merge.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "orchestration/records.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostConflicts = 20;
constexpr std::size_t kMostColumns = 100;

// A text as it is, anything else as JSON.
std::string TextOf(const json::value& value) {
  const std::string text = ToText(value);
  boost::system::error_code error;
  if (!text.starts_with('"')) return text;
  const json::value plain = json::parse(text, error);
  return error ? text : std::string(plain.get_string());
}

std::vector<std::string> NamesOf(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  names.reserve(sources.size());
  for (const Source& source : sources) names.push_back(source.name);
  return names;
}

Merged Concatenate(std::vector<Source> sources, std::string_view separator) {
  Merged merged{.used = NamesOf(sources)};
  const bool lists =
      std::ranges::all_of(sources, [](const Source& source) { return source.result.is_array(); });
  if (lists) {
    json::array all;
    for (Source& source : sources) {
      for (json::value& item : source.result.get_array()) all.push_back(std::move(item));
    }
    merged.result = std::move(all);
    return merged;
  }
  std::string text;
  for (const Source& source : sources) {
    if (!text.empty()) text += separator;
    text += TextOf(source.result);
  }
  merged.result = Said(text);
  return merged;
}

// As deep as the arguments are, which have a bound.
void Join(json::value& into, json::value from, const std::string& path, Merged& merged) {
  if (into.is_object() && from.is_object()) {
    for (json::key_value_pair& member : from.get_object()) {
      json::object& object = into.get_object();
      json::value* known = object.if_contains(member.key());
      if (known == nullptr) {
        object.emplace(member.key(), std::move(member.value()));
        continue;
      }
      Join(*known, std::move(member.value()),
           (path.empty() ? "" : path + ".") + std::string(member.key()), merged);
    }
    return;
  }
  if (into.is_array() && from.is_array()) {
    for (json::value& item : from.get_array()) into.get_array().push_back(std::move(item));
    return;
  }
  if (into == from) return;
  if (merged.conflicts.size() < kMostConflicts) merged.conflicts.push_back(path);
  into = std::move(from);
}

Result<Merged> DeepMerge(std::vector<Source> sources) {
  Merged merged{.result = json::object(), .used = NamesOf(sources)};
  for (Source& source : sources) {
    if (!source.result.is_object()) {
      return Refused("deep_merge is for objects, and " + source.name +
                     " is none; use concatenate or table");
    }
    Join(merged.result, std::move(source.result), "", merged);
  }
  return merged;
}

// Equal values have one text, in whatever order their members are.
void AddSorted(const json::value& value, std::string& text) {
  if (const json::array* const list = value.if_array()) {
    text += '[';
    for (const json::value& item : *list) {
      AddSorted(item, text);
      text += ',';
    }
    text += ']';
    return;
  }
  const json::object* const object = value.if_object();
  if (object == nullptr) {
    text += json::serialize(value);
    return;
  }
  std::vector<const json::key_value_pair*> members;
  members.reserve(object->size());
  for (const json::key_value_pair& member : *object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
  text += '{';
  for (const json::key_value_pair* const member : members) {
    text += json::serialize(json::value(member->key())) + ':';
    AddSorted(member->value(), text);
    text += ',';
  }
  text += '}';
}

Merged Vote(const std::vector<Source>& sources) {
  std::unordered_map<std::string, std::size_t> known;  // to the place in `said`
  std::vector<std::vector<const Source*>> said;        // in the order in which it was said first
  for (const Source& source : sources) {
    std::string text;
    AddSorted(source.result, text);
    const auto [at, first] = known.emplace(std::move(text), said.size());
    if (first) said.emplace_back();
    said[at->second].push_back(&source);
  }
  const auto& best = *std::ranges::max_element(said, {}, &std::vector<const Source*>::size);
  Merged merged{.result = best.front()->result};
  for (const Source* const source : best) merged.used.push_back(source->name);
  merged.votes = best.size();
  return merged;
}

Result<Merged> FirstSuccess(std::vector<Source> sources) {
  for (Source& source : sources) {
    if (source.result.is_null()) continue;
    return Merged{.result = std::move(source.result), .used = {source.name}};
  }
  return Refused("none of them has a result");
}

// What is no object is a column of its own.
Result<Merged> Table(const std::vector<Source>& sources) {
  constexpr std::string_view kOther = "result";
  std::vector<std::string> columns;
  const auto add = [&columns](std::string_view name) {
    if (std::ranges::find(columns, name) == columns.end()) columns.emplace_back(name);
  };
  for (const Source& source : sources) {
    if (!source.result.is_object()) add(kOther);
    if (!source.result.is_object()) continue;
    for (const json::key_value_pair& member : source.result.get_object()) {
      add(member.key());
      if (columns.size() > kMostColumns) {
        return Refused("a table has at most " + std::to_string(kMostColumns) +
                       " columns; merge fewer, or use deep_merge");
      }
    }
  }
  json::array names{"source"}, rows;
  for (const std::string& column : columns) names.push_back(Said(column));
  for (const Source& source : sources) {
    json::array row{source.name};
    for (const std::string& column : columns) {
      if (source.result.is_object()) {
        const json::value* cell = source.result.get_object().if_contains(column);
        row.push_back(cell == nullptr ? json::value() : *cell);
      } else {
        row.push_back(column == kOther ? source.result : json::value());
      }
    }
    rows.push_back(std::move(row));
  }
  return Merged{.result = json::object{{"columns", std::move(names)}, {"rows", std::move(rows)}},
                .used = NamesOf(sources)};
}

}  // namespace

Result<Merged> Merge(std::string_view strategy, std::vector<Source> sources,
                     std::string_view separator) {
  if (sources.empty()) return Refused("there are no results to merge");
  if (strategy == "deep_merge") return DeepMerge(std::move(sources));
  if (strategy == "vote") return Vote(sources);
  if (strategy == "first_success") return FirstSuccess(std::move(sources));
  if (strategy == "table") return Table(sources);
  return Concatenate(std::move(sources), separator);
}

}  // namespace switchyard::orchestration
