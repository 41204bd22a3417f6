#include "catalog/content.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <simdjson.h>

#include "catalog/glob.h"
#include "catalog/names.h"
#include "mcp/message.h"
#include "mcp/scan.h"
#include "mcp/tasks.h"

namespace switchyard::catalog {
namespace {

using mcp::DuplicateKey;
using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::MembersOf;

constexpr std::size_t kMaxProblems = 1000;

std::string_view Word(ItemKind kind) {
  switch (kind) {
    case ItemKind::kTool: return "tool";
    case ItemKind::kPrompt: return "prompt";
    case ItemKind::kResource: return "resource";
    case ItemKind::kTemplate: return "resource template";
  }
  return "item";
}

std::string_view NameMember(ItemKind kind) {
  if (kind == ItemKind::kResource) return "uri";
  return kind == ItemKind::kTemplate ? "uriTemplate" : "name";
}

Annotations ReadAnnotations(const Fields& tool) {
  Annotations result;
  const Field* field = Find(tool, "annotations");
  const std::optional<Fields> hints = field != nullptr ? MembersOf(field->value) : std::nullopt;
  if (!hints) return result;
  const auto read = [&hints](std::string_view key, bool& hint) {
    const Field* found = Find(*hints, key);
    if (found != nullptr && (found->value == "true" || found->value == "false")) {
      hint = found->value == "true";
    }
  };
  read("readOnlyHint", result.read_only);
  read("destructiveHint", result.destructive);
  read("idempotentHint", result.idempotent);
  read("openWorldHint", result.open_world);
  return result;
}

// What a legacy server says of each tool (L-TASK), a modern one says of all at once (TASKX).
TaskSupport ReadTaskSupport(const Inventory& inventory, const Fields& tool) {
  if (!mcp::DeclaresTasks(inventory.facts.capabilities)) return TaskSupport::kNone;
  if (mcp::IsModern(inventory.facts.version)) return TaskSupport::kOptional;
  const Field* execution = Find(tool, "execution");
  if (execution == nullptr) return TaskSupport::kNone;
  const std::string support = mcp::RawObject::Parse(execution->value).GetString("taskSupport");
  if (support == "required") return TaskSupport::kRequired;
  return support == "optional" ? TaskSupport::kOptional : TaskSupport::kNone;
}

class Merger {
 public:
  explicit Merger(const EndpointView& view) : view_(view) {}

  void AddServer(const ServerState& state) {
    Content::Owner& owner = content.owners[state.naming.server];
    owner.inventory = state.inventory;
    AddAll(state, ItemKind::kTool, state.inventory->tools);
    AddAll(state, ItemKind::kPrompt, state.inventory->prompts);
    AddAll(state, ItemKind::kResource, state.inventory->resources);
    AddAll(state, ItemKind::kTemplate, state.inventory->templates);
  }

  // After all servers.
  void Finish() {
    DropCollisions(ItemKind::kTool);
    DropCollisions(ItemKind::kPrompt);
    RewriteUris(ItemKind::kResource);
    RewriteUris(ItemKind::kTemplate);
    Index();
  }

  Content content;

 private:
  std::vector<Definition>& of(ItemKind kind) {
    return content.items[static_cast<std::size_t>(kind)];
  }

  void Problem(const std::string& server, ItemKind kind, std::string_view name,
               std::string_view why) {
    if (content.problems.size() == kMaxProblems) return;
    content.problems.push_back(std::string("server ")
                                   .append(server)
                                   .append(": ")
                                   .append(Word(kind))
                                   .append(" ")
                                   .append(mcp::Quote(name.substr(0, 160)))
                                   .append(" is not offered: ")
                                   .append(why));
  }

  void AddAll(const ServerState& state, ItemKind kind, const std::vector<std::string>& raw) {
    std::set<std::string> seen;
    of(kind).reserve(of(kind).size() + raw.size());
    for (const std::string& json : raw) {
      std::optional<Definition> definition = Read(state, kind, json);
      if (!definition) continue;
      if (!seen.insert(definition->name).second) {
        Problem(state.naming.server, kind, definition->name, "the server lists it twice");
        continue;
      }
      of(kind).push_back(std::move(*definition));
    }
  }

  // nullopt: filtered, or a problem.
  std::optional<Definition> Read(const ServerState& state, ItemKind kind, const std::string& json) {
    const std::string& server = state.naming.server;
    const auto broken = [&](std::string_view why) {
      Problem(server, kind, json, why);
      return std::nullopt;
    };
    if (parser_.parse(json).error() != simdjson::SUCCESS) return broken("it is not valid JSON");
    const std::optional<Fields> fields = MembersOf(json);
    if (!fields) return broken("it is not an object");
    const Field* name = Find(*fields, NameMember(kind));
    std::optional<std::string> text = name != nullptr ? mcp::Unquote(name->value) : std::nullopt;
    if (!text || text->empty()) return broken("it has no name");
    Definition definition{.kind = kind,
                          .server = server,
                          .name = std::move(*text),
                          .exposed = {},
                          .json = json,
                          .annotations = {}};
    // Another reader might take the other of the two.
    if (const std::string_view twice = DuplicateKey(*fields); !twice.empty()) {
      Problem(server, kind, definition.name, std::string("duplicate key ").append(twice));
      return std::nullopt;
    }
    if (!Name(state.naming, definition)) return std::nullopt;
    if (kind == ItemKind::kTool) {
      definition.annotations = ReadAnnotations(*fields);
      const Field* schema = Find(*fields, "inputSchema");
      mcp::ParamMarks marks = schema ? mcp::FindParamMarks(schema->value) : mcp::ParamMarks();
      if (marks.problem) {
        Problem(server, kind, definition.name, *marks.problem);
        return std::nullopt;
      }
      definition.param_marks = std::move(marks.legal);
      definition.tasks = ReadTaskSupport(*state.inventory, *fields);
    }
    return definition;
  }

  // Filters and names; false = not offered.
  bool Name(const ServerNaming& naming, Definition& definition) {
    if (definition.kind == ItemKind::kResource || definition.kind == ItemKind::kTemplate) {
      definition.exposed = definition.name;
      const bool routable = definition.kind == ItemKind::kResource || view_.transparent ||
                            UriTemplate::Parse(definition.name).has_value();
      if (!routable) {
        Problem(naming.server, definition.kind, definition.name, "it is not a URI template");
      }
      return routable;
    }
    const bool tool = definition.kind == ItemKind::kTool;
    if (tool && !Selects(naming.include, naming.exclude, definition.name)) return false;
    definition.exposed =
        ExposedName(view_.transparent ? std::string_view() : naming.prefix, definition.name);
    if (tool && !Selects(view_.include, view_.exclude, definition.exposed)) return false;
    // Prompts have no such rule in the specification, but their names travel in the same header.
    if (!view_.transparent && !IsValidName(definition.exposed)) {
      Problem(naming.server, definition.kind, definition.name,
              "its name must be 1 to 128 of A-Z a-z 0-9 _ . - with the prefix");
      return false;
    }
    return true;
  }

  void DropCollisions(ItemKind kind) {
    std::unordered_map<std::string_view, const Definition*> first;
    std::set<std::string> refused;
    for (const Definition& item : of(kind)) {
      const auto [found, fresh] = first.emplace(item.exposed, &item);
      if (fresh) continue;
      refused.insert(item.exposed);
      content.collisions.push_back({.exposed = item.exposed,
                                    .first_owner = found->second->server,
                                    .second_owner = item.server});
    }
    if (refused.empty()) return;
    std::erase_if(of(kind), [&](const Definition& item) { return refused.contains(item.exposed); });
  }

  void RewriteUris(ItemKind kind) {
    if (view_.transparent) return;
    std::unordered_map<std::string_view, int> owners;
    for (const Definition& item : of(kind)) ++owners[item.name];
    std::set<std::string_view> fetchable_seen;
    for (Definition& item : of(kind)) {
      const bool collides = owners[item.name] > 1;
      if (!collides && !HasOwnScheme(item.name)) continue;
      if (IsFetchableUri(item.name) && fetchable_seen.insert(item.name).second) continue;
      item.exposed = RewriteUri(item.server, item.name);
      content.rewrites = true;
    }
  }

  void Index() {
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      auto& index = content.by_exposed[kind];
      index.reserve(content.items[kind].size());
      for (const Definition& item : content.items[kind]) index.emplace(item.exposed, &item);
    }
    for (const Definition& item : of(ItemKind::kResource)) {
      Content::Owner& owner = content.owners.find(item.server)->second;
      owner.resources.emplace(item.name, &item);
      if (item.exposed != item.name) content.by_original.emplace(item.name, &item);
    }
    for (const Definition& item : of(ItemKind::kTemplate)) {
      Content::Owner& owner = content.owners.find(item.server)->second;
      std::optional<UriTemplate> pattern = UriTemplate::Parse(item.name);
      if (pattern) owner.templates.push_back({std::move(*pattern), &item});
    }
  }

  const EndpointView& view_;
  simdjson::dom::parser parser_;
};

void MergeFacts(const Catalog::Options& options, Content& content) {
  std::vector<std::pair<std::string_view, std::string_view>> instructions;
  std::array<std::optional<ListHint>, kItemKinds> hints;
  for (auto& [server, owner] : content.owners) {
    Offer own;
    own.Add(owner.inventory->facts.capabilities);
    // Some old servers list what they do not announce.
    own.tools |= !owner.inventory->tools.empty();
    own.prompts |= !owner.inventory->prompts.empty();
    own.resources |= !owner.inventory->resources.empty() || !owner.inventory->templates.empty();
    // 2024-11-05 had completion, but no capability for it.
    own.completions |= owner.inventory->facts.version < mcp::Version::k2025_03_26 &&
                       (own.prompts || own.resources);
    owner.has_resources = own.resources;
    content.resource_owners += own.resources ? 1 : 0;
    content.offer.Add(own);
    const std::array<bool, kItemKinds> has = {own.tools, own.prompts, own.resources, own.resources};
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      const ListHint& hint = owner.inventory->hints[kind];
      if (!has[kind]) continue;
      if (!hints[kind]) hints[kind] = hint;
      hints[kind]->Tighten(hint);
    }
    instructions.emplace_back(server, owner.inventory->facts.instructions);
  }
  for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
    content.hints[kind] = hints[kind].value_or(ListHint());
    // A list that lacks a server is about to change.
    if (!content.missing.empty()) content.hints[kind] = {.ttl_ms = 0, .shared = false};
  }
  // A client decides once, at its start, what it will ever ask for: a server that is not up yet
  // must not cost it the server's tools for good.
  if (!content.missing.empty()) {
    content.offer.tools = content.offer.prompts = content.offer.resources = true;
  }
  content.instructions =
      MergeInstructions(options.instructions_header, instructions, options.view.transparent);
}

}  // namespace

Content MergeServers(const Catalog::Options& options, std::vector<ServerState> servers) {
  const EndpointView& view = options.view;
  std::ranges::sort(servers, {}, [](const ServerState& state) { return state.naming.server; });
  Merger merger(view);
  for (const ServerState& state : servers) {
    const bool chosen = view.servers.empty() ||
                        std::ranges::find(view.servers, state.naming.server) != view.servers.end();
    if (!chosen) continue;
    if (state.inventory == nullptr) {
      merger.content.missing.emplace(
          state.naming.server, state.missing_because.empty() ? "not up" : state.missing_because);
    } else {
      merger.AddServer(state);
    }
  }
  merger.Finish();
  MergeFacts(options, merger.content);
  return std::move(merger.content);
}

}  // namespace switchyard::catalog
