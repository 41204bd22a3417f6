#include "catalog/groups.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "mcp/json_string.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

std::size_t RankOf(const GroupView& group, const Definition& item) {
  const auto found = std::ranges::find(group.servers, item.server);
  return static_cast<std::size_t>(found - group.servers.begin());
}

// What two servers must agree on to serve the same calls, by how a reader would name it.
struct Form {
  boost::json::value input, output;
  TaskSupport tasks = TaskSupport::kNone;
};

Form FormOf(const Definition& item) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(item.json);
  const auto read = [&fields](std::string_view key) -> boost::json::value {
    const mcp::Field* member = fields ? mcp::Find(*fields, key) : nullptr;
    if (member == nullptr) return nullptr;
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(member->value, error);
    return error ? boost::json::value(nullptr) : value;
  };
  if (item.kind != ItemKind::kTool) return {.input = read("arguments"), .output = nullptr};
  return {.input = read("inputSchema"), .output = read("outputSchema"), .tasks = item.tasks};
}

// Where two values differ first, and what is there; null = nothing.
struct Place {
  std::string pointer;
  const boost::json::value* one;
  const boost::json::value* other;
};

Place FirstDifference(const boost::json::value& one, const boost::json::value& other);

Place Below(std::string_view step, const boost::json::value* one, const boost::json::value* other) {
  Place place{.pointer = {}, .one = one, .other = other};
  if (one != nullptr && other != nullptr) place = FirstDifference(*one, *other);
  place.pointer.insert(0, "/" + std::string(step));
  return place;
}

// Of two that do differ.
Place FirstDifference(const boost::json::value& one, const boost::json::value& other) {
  if (one.is_object() && other.is_object()) {
    for (const auto& [key, value] : one.get_object()) {
      const boost::json::value* const theirs = other.get_object().if_contains(key);
      if (theirs == nullptr || *theirs != value) return Below(key, &value, theirs);
    }
    for (const auto& [key, value] : other.get_object()) {
      if (!one.get_object().contains(key)) return Below(key, nullptr, &value);
    }
  }
  if (one.is_array() && other.is_array()) {
    const std::size_t most = std::max(one.get_array().size(), other.get_array().size());
    for (std::size_t i = 0; i < most; ++i) {
      const boost::json::value* const ours = one.get_array().if_contains(i);
      const boost::json::value* const theirs = other.get_array().if_contains(i);
      if (ours != nullptr && theirs != nullptr && *ours == *theirs) continue;
      return Below(std::to_string(i), ours, theirs);
    }
  }
  return {.pointer = {}, .one = &one, .other = &other};
}

// Servers write these texts, so only their beginnings go into the log.
std::string Beginning(std::string text) {
  std::size_t end = 80;
  if (text.size() <= end) return text;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // between characters
  return text.replace(end, std::string::npos, "...");
}

std::string WordsOf(const boost::json::value* value) {
  return value == nullptr ? "nothing" : Beginning(boost::json::serialize(*value));
}

// " server a, first at "/required": here ["x"], there nothing"
std::string From(const std::string& server, const boost::json::value& one,
                 const boost::json::value& other) {
  const Place place = FirstDifference(one, other);
  const std::string at = place.pointer.empty() ? "" : " at " + mcp::Quote(Beginning(place.pointer));
  return " server " + server + ", first" + at + ": here " + WordsOf(place.one) + ", there " +
         WordsOf(place.other);
}

// "" = they agree. `other` is that of `server`.
std::string Difference(ItemKind kind, const Form& one, const Form& other,
                       const std::string& server) {
  const bool tool = kind == ItemKind::kTool;
  if (one.input != other.input) {
    return (tool ? ": its inputSchema differs from that of"
                 : ": its arguments differ from those of") +
           From(server, one.input, other.input);
  }
  if (one.output != other.output) {
    return ": its outputSchema differs from that of" + From(server, one.output, other.output);
  }
  if (one.tasks != other.tasks) return ": whether it can be a task differs from server " + server;
  return {};
}

// `all`, best first, as one.
Definition Merged(const GroupView& group, std::vector<const Definition*> all,
                  std::vector<std::string>& differing) {
  Definition listed = *all.front();
  listed.by_load = group.by_load;
  listed.hidden = true;
  const Form form = FormOf(listed);
  for (const Definition* item : all) {
    const std::string difference = Difference(item->kind, FormOf(*item), form, listed.server);
    if (!difference.empty()) {
      const bool tool = item->kind == ItemKind::kTool;
      differing.push_back(std::string(tool ? "tool " : "prompt ")
                              .append(mcp::Quote(item->name.substr(0, 160)))
                              .append(" of server ")
                              .append(item->server)
                              .append(" serves no calls of group ")
                              .append(group.name)
                              .append(difference));
      continue;
    }
    listed.hidden = listed.hidden && item->hidden;
    listed.members.push_back(std::make_shared<Definition>(*item));
  }
  return listed;
}

}  // namespace

std::vector<std::string> MergeGroup(const GroupView& group, ItemKind kind,
                                    std::vector<Definition>& items, const IsUp& is_up) {
  std::vector<std::string> differing;
  std::map<std::string, std::vector<const Definition*>> by_name;
  const auto is_member = [&group](const Definition& item) {
    return RankOf(group, item) < group.servers.size();
  };
  for (const Definition& item : items) {
    if (is_member(item)) by_name[item.name].push_back(&item);
  }
  std::map<std::string, Definition> merged;
  for (auto& [name, all] : by_name) {
    std::ranges::sort(all, {}, [&](const Definition* item) {
      return std::pair(!is_up(item->server), RankOf(group, *item));
    });
    const bool called = kind == ItemKind::kTool || kind == ItemKind::kPrompt;
    merged.emplace(name, called ? Merged(group, std::move(all), differing) : *all.front());
  }
  std::vector<Definition> out;
  out.reserve(items.size());
  for (Definition& item : items) {
    if (!is_member(item)) {
      out.push_back(std::move(item));
    } else if (auto found = merged.extract(item.name)) {  // in the place of the first
      out.push_back(std::move(found.mapped()));
    }
  }
  items = std::move(out);
  return differing;
}

void LinkMembers(std::vector<Definition>& items) {
  for (Definition& item : items) {
    for (const std::shared_ptr<Definition>& member : item.members) member->listed = &item;
  }
}

const GroupView* GroupOf(const EndpointView& view, std::string_view server) {
  for (const GroupView& group : view.groups) {
    if (std::ranges::find(group.servers, server) != group.servers.end()) return &group;
  }
  return nullptr;
}

std::string_view HeadingOf(const EndpointView& view, std::string_view server, const IsUp& is_up) {
  const GroupView* group = GroupOf(view, server);
  if (group == nullptr) return server;
  const auto speaks = std::ranges::find_if(group->servers, is_up);
  const bool is_it = speaks != group->servers.end() && *speaks == server;
  return is_it ? std::string_view(group->name) : std::string_view();
}

std::set<std::string, std::less<>> ServedNames(const GroupView& group,
                                               const std::vector<Definition>& items,
                                               const IsUp& is_up) {
  std::set<std::string, std::less<>> names;
  for (const Definition& item : items) {
    if (RankOf(group, item) < group.servers.size() && is_up(item.server)) names.insert(item.name);
  }
  return names;
}

void NoteMissing(const EndpointView& view, const IsUp& is_up,
                 std::map<std::string, std::string>& missing) {
  for (const GroupView& group : view.groups) {
    std::string why;
    const bool up = std::ranges::any_of(group.servers, [&](const std::string& server) {
      return is_up(server) && !missing.contains(server);
    });
    for (const std::string& server : group.servers) {
      const auto found = missing.find(server);
      if (found == missing.end()) continue;
      if (why.empty()) why = found->second;
      missing.erase(found);
    }
    if (!up && !why.empty()) missing.emplace(group.name, std::move(why));
  }
}

const Definition& ChooseMember(const Definition& listed, const Choosing& choosing,
                               const IsUp& is_up) {
  const Definition* best = nullptr;
  std::pair<bool, std::size_t> least;  // down, load
  for (const std::shared_ptr<Definition>& member : listed.members) {
    if (choosing.outage && member->policies != nullptr) {
      const std::optional<Outage> outage = choosing.outage(*member->policies, member->name);
      if (outage && outage->refuses) continue;
    }
    const bool counts = listed.by_load && choosing.load;
    const std::pair rank(!is_up(member->server), counts ? choosing.load(member->server) : 0);
    if (best != nullptr && rank >= least) continue;
    best = member.get();
    least = rank;
    if (rank == decltype(least)()) break;
  }
  return best != nullptr ? *best : *listed.members.front();
}

}  // namespace switchyard::catalog
