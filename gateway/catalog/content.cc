#include "catalog/content.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "catalog/glob.h"
#include "catalog/groups.h"
#include "catalog/item_facts.h"
#include "catalog/item_reader.h"
#include "catalog/names.h"
#include "core/builtin.h"
#include "mcp/message.h"
#include "mcp/raw_object.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::MembersOf;

constexpr std::size_t kMaxProblems = 1000;

IsUp UpIn(const Content& content) {
  return [&content](std::string_view server) { return content.owners.contains(server); };
}

class Merger {
 public:
  explicit Merger(const Catalog::Options& options)
      : view_(options.view), find_policies_(options.policies), find_outage_(options.outage) {
    content.own_policies = PoliciesOf("");
  }

  // Also of one that is not up: what is left of its calls is still counted as its own.
  void KnowServer(const ServerNaming& naming) {
    const std::string& server = naming.server;
    content.prefixes.emplace(naming.prefix, server);
    content.policies[server] = PoliciesOf(server);
    NoteOutage(content.policies[server].get(), server, "");
  }

  void AddServer(const ServerState& state) {
    Content::Owner& owner = content.owners[state.naming.server];
    owner.inventory = state.inventory;
    owner.down = !state.up;
    owner.withheld = Withheld(*state.inventory);
    AddAll(state, ItemKind::kTool, state.inventory->tools);
    AddAll(state, ItemKind::kPrompt, state.inventory->prompts);
    AddAll(state, ItemKind::kResource, state.inventory->resources);
    AddAll(state, ItemKind::kTemplate, state.inventory->templates);
  }

  // Of one that is not up: the tools that have a stand-in are offered all the same. Of a member of
  // a group after all servers: not those that another one serves.
  void AddStandIns(ServerState state, const GroupView* group, const HasStandIn& has_stand_in) {
    if (state.last == nullptr || !has_stand_in) return;
    const auto served = group != nullptr ? ServedNames(*group, of(ItemKind::kTool), UpIn(content))
                                         : std::set<std::string, std::less<>>();
    state.inventory = state.last;
    AddAll(state, ItemKind::kTool, state.inventory->tools);
    std::erase_if(of(ItemKind::kTool), [&](const Definition& tool) {
      return tool.server == state.naming.server &&
             (!has_stand_in(*tool.policies) || served.contains(tool.name));
    });
  }

  // After all servers.
  void Finish(const BuiltinTools& builtins) {
    for (const GroupView& group : view_.groups) MergeMembers(group);
    DropCollisions(ItemKind::kTool);
    AddBuiltins(builtins);
    DropCollisions(ItemKind::kPrompt);
    RewriteUris(ItemKind::kResource);
    RewriteUris(ItemKind::kTemplate);
    PutHiddenLast();
    Index();
  }

  Content content;

 private:
  std::vector<Definition>& of(ItemKind kind) {
    return content.items[static_cast<std::size_t>(kind)];
  }

  std::shared_ptr<const PolicySet> PoliciesOf(
      std::string_view server, std::optional<std::string_view> tool = std::nullopt) const {
    if (!find_policies_) return nullptr;
    return find_policies_({.endpoint = view_.name, .server = server, .tool = tool});
  }

  // True: hidden.
  bool NoteOutage(const PolicySet* policies, const std::string& server, const std::string& tool) {
    if (policies == nullptr || !find_outage_) return false;
    const std::optional<Outage> outage = find_outage_(*policies, tool);
    if (!outage) return false;
    content.outages.emplace(outage->what, outage->reason);
    content.outage_sources[outage->what].push_back({.server = server, .tool = tool});
    content.outages_until = std::min(content.outages_until, outage->until);
    return outage->hides;
  }

  std::nullopt_t Problem(const std::string& server, ItemKind kind, std::string_view name,
                         std::string_view why) {
    Tell(server, kind, name, std::string(" is not offered: ").append(why));
    return std::nullopt;
  }

  void Tell(const std::string& server, ItemKind kind, std::string_view name,
            const std::string& what) {
    if (content.problems.size() == kMaxProblems) return;
    std::string problem = "server " + server + ": ";
    problem.append(Word(kind)).append(" ").append(mcp::Quote(name.substr(0, 160))).append(what);
    content.problems.push_back(std::move(problem));
  }

  void MergeMembers(const GroupView& group) {
    const IsUp is_up = [this](std::string_view server) {
      const auto owner = content.owners.find(server);
      return owner != content.owners.end() && !owner->second.down;
    };
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      for (std::string& differs :
           MergeGroup(group, static_cast<ItemKind>(kind), content.items[kind], is_up)) {
        content.outages.emplace("group " + group.name, differs);
        if (content.problems.size() < kMaxProblems) content.problems.push_back(std::move(differs));
      }
    }
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
    std::expected<ReadItem, BrokenItem> item = reader_.Read(kind, json);
    if (!item) return Problem(server, kind, item.error().name, item.error().why);
    for (const std::string& change : item->changes) {
      Tell(server, kind, item->name, ": " + change);
    }
    const Fields& fields = item->fields;
    Definition definition{.kind = kind,
                          .server = server,
                          .name = std::move(item->name),
                          .exposed = {},
                          .json = std::move(item->json),
                          .annotations = {}};
    if (!Name(state.naming, definition)) return std::nullopt;
    definition.policies = kind == ItemKind::kTool ? PoliciesOf(server, definition.name)
                                                  : content.policies.find(server)->second;
    if (kind == ItemKind::kTool) {
      definition.annotations = ReadAnnotations(fields);
      const Field* schema = Find(fields, "inputSchema");
      mcp::ParamMarks marks = schema ? mcp::FindParamMarks(schema->value) : mcp::ParamMarks();
      if (marks.problem) return Problem(server, kind, definition.name, *marks.problem);
      definition.param_marks = std::move(marks.legal);
      definition.tasks = ReadTaskSupport(*state.inventory, fields);
      definition.hidden = NoteOutage(definition.policies.get(), server, definition.name);
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
    const auto* const prefix = view_.transparent ? nullptr : content.PrefixOf(definition.exposed);
    if (prefix == nullptr || prefix->first == naming.prefix) return true;
    Problem(naming.server, definition.kind, definition.name,
            "it would be " + definition.exposed + ", a name of server " + prefix->second);
    return false;
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

  // Those that the policies of any tool here ask for. Their names are not for servers to take.
  void AddBuiltins(const BuiltinTools& builtins) {
    std::vector<Definition>& tools = of(ItemKind::kTool);
    std::set<const PolicySet*> in_use;
    for (const Definition& tool : tools) {
      in_use.insert(tool.policies.get());
      for (const auto& member : tool.members) in_use.insert(member->policies.get());
    }
    in_use.erase(nullptr);
    for (const std::shared_ptr<const BuiltinTool>& builtin : builtins) {
      const auto asks = [&](const PolicySet* policies) {
        return builtin->IsOfferedWith(*policies);
      };
      const std::optional<Fields> fields = MembersOf(builtin->definition());
      const std::string name = mcp::RawObject::Parse(builtin->definition()).GetString("name");
      content.builtin_names.insert(name);
      if (std::ranges::none_of(in_use, asks)) continue;
      std::erase_if(tools, [&](const Definition& tool) {
        if (tool.exposed != name) return false;
        Problem(tool.server, tool.kind, tool.name, "the gateway has a tool of that name");
        return true;
      });
      tools.push_back({.kind = ItemKind::kTool,
                       .server = {},
                       .name = name,
                       .exposed = name,
                       .json = builtin->definition(),
                       .annotations = ReadAnnotations(*fields),
                       .policies = content.own_policies,
                       .builtin = builtin});
    }
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

  void PutHiddenLast() {
    std::vector<Definition>& tools = of(ItemKind::kTool);
    std::vector<Definition> hidden;
    for (Definition& tool : tools) {
      if (tool.hidden) hidden.push_back(std::move(tool));
    }
    std::erase_if(tools, [](const Definition& tool) { return tool.hidden; });
    content.hidden_tools = hidden.size();
    std::ranges::move(hidden, std::back_inserter(tools));
  }

  void Index() {
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      auto& index = content.by_exposed[kind];
      index.reserve(content.items[kind].size());
      for (const Definition& item : content.items[kind]) index.emplace(item.exposed, &item);
    }
    LinkMembers(of(ItemKind::kTool));
    LinkMembers(of(ItemKind::kPrompt));
    const auto own = [this](const Definition& tool) {
      const auto owner = content.owners.find(tool.server);
      if (owner != content.owners.end()) owner->second.tools.emplace(tool.name, &tool);
    };
    for (const Definition& tool : of(ItemKind::kTool)) {
      for (const std::shared_ptr<Definition>& member : tool.members) own(*member);
      own(tool);
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
  const FindPolicySet& find_policies_;
  const FindOutage& find_outage_;
  ItemReader reader_;
};

void MergeFacts(const Catalog::Options& options, Content& content) {
  const IsUp is_up = UpIn(content);
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
    owner.offer = own;
    const std::array<bool, kItemKinds> has = {own.tools, own.prompts, own.resources, own.resources};
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      const ListHint& hint = owner.inventory->hints[kind];
      if (!has[kind]) continue;
      if (!hints[kind]) hints[kind] = hint;
      hints[kind]->Tighten(hint);
    }
    if (const std::string_view heading = HeadingOf(options.view, server, is_up); !heading.empty()) {
      instructions.emplace_back(heading, owner.inventory->facts.instructions);
      owner.heading = heading;
    }
  }
  for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
    content.hints[kind] = hints[kind].value_or(ListHint());
    // A list that lacks a server, or has what it said before, is about to change.
    if (!content.missing.empty()) content.hints[kind] = {.ttl_ms = 0, .shared = false};
  }
  if (content.hidden_tools > 0) {
    content.hints[static_cast<std::size_t>(ItemKind::kTool)] = {.ttl_ms = 0, .shared = false};
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
  std::erase_if(servers, [&view](const ServerState& state) {
    return !view.servers.empty() &&
           std::ranges::find(view.servers, state.naming.server) == view.servers.end();
  });
  Merger merger(options);
  for (ServerState& state : servers) {
    const GroupView* group = GroupOf(view, state.naming.server);
    if (group != nullptr) state.naming.prefix = group->prefix;
    merger.KnowServer(state.naming);
  }
  std::vector<std::pair<const ServerState*, const GroupView*>> down;
  for (const ServerState& state : servers) {
    const GroupView* group = GroupOf(view, state.naming.server);
    if (state.inventory == nullptr || !state.missing_because.empty()) {
      merger.content.missing.emplace(
          state.naming.server, state.missing_because.empty() ? "not up" : state.missing_because);
    }
    if (state.inventory != nullptr) merger.AddServer(state);
    if (state.inventory == nullptr) down.emplace_back(&state, group);
  }
  for (const auto& [state, group] : down) merger.AddStandIns(*state, group, options.stand_in);
  NoteMissing(view, UpIn(merger.content), merger.content.missing);
  NoteAbsent(options, servers, merger.content);
  merger.Finish(options.builtins);
  MergeFacts(options, merger.content);
  return std::move(merger.content);
}

}  // namespace switchyard::catalog
