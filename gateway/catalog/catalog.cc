#include "catalog/catalog.h"

#include <array>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

#include "catalog/content.h"
#include "catalog/cursor.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/render.h"
#include "catalog/seen.h"

namespace switchyard::catalog {
namespace {

constexpr std::size_t kVersions = static_cast<std::size_t>(mcp::kModern) + 1;
constexpr std::array<std::string_view, kItemKinds> kListKeys = {"tools", "prompts", "resources",
                                                                "resourceTemplates"};

std::optional<ItemKind> KindOf(mcp::Method method) {
  switch (method) {
    case mcp::Method::kToolsList: return ItemKind::kTool;
    case mcp::Method::kPromptsList: return ItemKind::kPrompt;
    case mcp::Method::kResourcesList: return ItemKind::kResource;
    case mcp::Method::kTemplatesList: return ItemKind::kTemplate;
    default: return std::nullopt;
  }
}

std::size_t Mix(std::size_t hash, std::string_view text) {
  return hash * 0x9E3779B97F4A7C15ULL ^ std::hash<std::string_view>()(text);
}

std::size_t Mix(std::size_t hash, const PolicySet* policies) {
  return hash * 31 + (policies == nullptr ? 0 : policies->sight_key());
}

// Of what callers may see of a list, too.
std::size_t HashOf(std::span<const Definition> items, std::uint64_t sights) {
  if (items.empty()) return 0;  // of nothing everybody sees all
  std::size_t hash = items.size() * 31 + sights;
  for (const Definition& item : items) {
    hash = Mix(Mix(Mix(hash, item.exposed), item.json), item.policies.get());
    for (const auto& member : item.members) hash = Mix(hash, member->policies.get());
  }
  return hash;
}

// Of all that ExposedUri() goes by.
std::size_t HashOfUris(const Content& content) {
  std::size_t hash = content.rewrites ? 1 : 0;
  for (const auto& [server, owner] : content.owners) {
    if (owner.has_resources) hash = Mix(hash, server);
  }
  for (const ItemKind kind : {ItemKind::kResource, ItemKind::kTemplate}) {
    for (const Definition& item : content.of(kind)) {
      hash = Mix(Mix(Mix(hash, item.server), item.name), item.exposed);
    }
  }
  return hash;
}

}  // namespace

struct Catalog::Data {
  // Constant after Build().
  Options options;
  std::uint64_t revision;
  Content content;
  Lookup lookup;
  CursorSealer cursors;
  std::array<std::string, kVersions> capabilities;
  std::array<std::size_t, kItemKinds> hashes;
  std::size_t uri_view;

  // Filled once each, on first use, by whichever thread comes first.
  struct Pages {
    std::once_flag once;
    SeenPages::Pages pages;
  };
  mutable std::array<std::array<Pages, kVersions>, kItemKinds> lists;
  // Of who sees less.
  mutable SeenPages seen_lists;

  Data(Options given, std::vector<ServerState> servers, std::uint64_t given_revision)
      : options(std::move(given)),
        revision(given_revision),
        content(MergeServers(options, std::move(servers))),
        lookup(content, options.view.transparent),
        cursors(options.cursor_key, options.view.name),
        uri_view(HashOfUris(content)) {
    for (std::size_t i = 0; i < kVersions; ++i) {
      capabilities[i] = content.offer.ToJson(static_cast<mcp::Version>(i));
    }
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      hashes[kind] = HashOf(content.shown(static_cast<ItemKind>(kind)), options.sights);
    }
  }

  Seen All(ItemKind kind) const {
    Seen all{.items = {}, .missing = content.missing, .outages = content.outages};
    for (const Definition& item : content.shown(kind)) all.items.push_back(&item);
    return all;
  }

  SeenPages::Pages BuildPages(ItemKind kind, mcp::Method method, mcp::Version version,
                              const Seen& seen, ListHint hint) const {
    RenderOptions render{.keep_header_params = options.view.transparent, .exposed_uri = {}};
    if (content.rewrites) {
      render.exposed_uri = [this](std::string_view server, std::string_view uri) {
        return ExposedUri(server, uri);
      };
    }
    if (kind == ItemKind::kTool && !options.view.transparent) {
      render.owner = [this](const Definition& item) { return OwnerOf(item); };
    }
    const std::span<const Definition* const> items = seen.items;
    const std::size_t size = options.page_size == 0 ? items.size() : options.page_size;
    SeenPages::Pages pages;
    std::size_t begin = 0;
    do {
      const std::size_t end = std::min(items.size(), begin + size);
      Page page{.key = kListKeys[static_cast<std::size_t>(kind)],
                .items = items.subspan(begin, end - begin),
                .next_cursor = {},
                .missing = &seen.missing,
                .outages = &seen.outages,
                .hint = hint};
      if (end < items.size()) {
        page.next_cursor =
            cursors.Seal(mcp::Info(method).name, {.revision = revision, .offset = end});
      }
      pages.push_back(std::make_shared<const std::string>(RenderPage(page, version, render)));
      begin = end;
    } while (begin < items.size());
    return pages;
  }

  // Of a group clients know its name alone.
  std::string_view OwnerOf(const Definition& item) const {
    const auto has = [&item](const GroupView& group) {
      return std::ranges::find(group.servers, item.server) != group.servers.end();
    };
    if (item.members.empty()) return item.server;
    const auto group = std::ranges::find_if(options.view.groups, has);
    return group == options.view.groups.end() ? std::string_view(item.server) : group->name;
  }

  std::shared_ptr<const std::string> ListSeen(ItemKind kind, mcp::Method method,
                                              mcp::Version version, std::size_t page,
                                              const Sight& sight) const;
  // The list has become shorter since.
  static std::shared_ptr<const std::string> BeyondTheLast(ItemKind kind, mcp::Version version,
                                                          const Seen& seen, ListHint hint) {
    const Page empty{.key = kListKeys[static_cast<std::size_t>(kind)],
                     .items = {},
                     .next_cursor = {},
                     .missing = &seen.missing,
                     .outages = &seen.outages,
                     .hint = hint};
    return std::make_shared<const std::string>(RenderPage(empty, version, {}));
  }

  std::string ExposedUri(std::string_view server, std::string_view uri) const;
};

std::shared_ptr<const std::string> Catalog::Data::ListSeen(ItemKind kind, mcp::Method method,
                                                           mcp::Version version, std::size_t page,
                                                           const Sight& sight) const {
  const Seen seen = See(content, options.view, kind, sight);
  std::shared_ptr<const SeenPages::Pages> pages = seen_lists.Find(kind, version, seen);
  if (pages == nullptr) {
    pages = std::make_shared<const SeenPages::Pages>(
        BuildPages(kind, method, version, seen, HintSeen(content, kind, seen)));
    seen_lists.Keep(kind, version, seen, pages);
  }
  if (page < pages->size()) return (*pages)[page];
  return BeyondTheLast(kind, version, seen, HintSeen(content, kind, seen));
}

std::string Catalog::Data::ExposedUri(std::string_view server, std::string_view uri) const {
  const bool alone = content.resource_owners < 2 && !content.rewrites;
  if (options.view.transparent || alone) return std::string(uri);
  const auto owner = content.owners.find(server);
  if (owner == content.owners.end()) return std::string(uri);
  const auto exact = owner->second.resources.find(uri);
  if (exact != owner->second.resources.end()) return exact->second->exposed;
  if (HasOwnScheme(uri)) return RewriteUri(server, uri);
  if (IsFetchableUri(uri)) return std::string(uri);
  // An expansion of a template, or a link that nobody lists: verbatim only when it leads back.
  const std::optional<Destination> leads = lookup.FindResource(uri);
  const bool back = leads ? leads->server == server : !owner->second.has_resources;
  return back ? std::string(uri) : RewriteUri(server, uri);
}

std::shared_ptr<const Catalog> Catalog::Build(Options options, std::vector<ServerState> servers,
                                              std::uint64_t revision) {
  return std::shared_ptr<const Catalog>(
      new Catalog(std::make_unique<Data>(std::move(options), std::move(servers), revision)));
}

Catalog::Catalog(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Catalog::~Catalog() = default;

std::optional<Destination> Catalog::FindTool(std::string_view exposed) const {
  return data_->lookup.Find(ItemKind::kTool, exposed);
}

const Definition* Catalog::FindToolOf(std::string_view server, std::string_view tool) const {
  const Content& content = data_->content;
  if (server.empty()) {
    const auto& index = content.by_exposed[static_cast<std::size_t>(ItemKind::kTool)];
    const auto found = index.find(tool);
    return found == index.end() ? nullptr : found->second;
  }
  const auto owner = content.owners.find(server);
  if (owner == content.owners.end()) return nullptr;
  const auto found = owner->second.tools.find(tool);
  return found == owner->second.tools.end() ? nullptr : found->second;
}

Destination Catalog::WouldLead(std::string_view exposed) const {
  return data_->lookup.WouldLead(exposed);
}

std::optional<Destination> Catalog::FindPrompt(std::string_view exposed) const {
  return data_->lookup.Find(ItemKind::kPrompt, exposed);
}

std::optional<Destination> Catalog::FindResource(std::string_view uri, const Sight* sight,
                                                 mcp::Route route) const {
  return data_->lookup.FindResource(uri, {.sight = sight, .route = route});
}

std::optional<Destination> Catalog::FindReference(std::string_view uri, const Sight* sight) const {
  const Eyes eyes{.sight = sight, .route = mcp::Route::kReference};
  const auto found = data_->lookup.FindTemplate(uri, eyes);
  return found ? found : data_->lookup.FindResource(uri, eyes);
}

// Nothing is asked about the name: all names that might be the server's get one answer, so that
// none tells what rules hide of it.
std::optional<Absence> Catalog::WhoIsAbsent(ItemKind kind, std::string_view exposed,
                                            const Sight* sight) const {
  const Content& content = data_->content;
  for (const AbsentServer& absent : content.absent) {
    const Claim claim = ClaimOf(absent, content, data_->options, kind, exposed);
    if (claim == Claim::kNone) continue;
    const bool known =
        sight == nullptr || ShowsServer(content, data_->options.view, absent.called, *sight);
    if (!known) continue;
    return Absence{.server = absent.called,
                   .because = content.missing.at(absent.called),
                   .starting = absent.starting,
                   .sure = claim == Claim::kSure};
  }
  return std::nullopt;
}

const std::shared_ptr<const PolicySet>& Catalog::PoliciesFor(std::string_view server) const {
  return data_->lookup.PoliciesFor(server);
}

std::shared_ptr<const PolicySet> Catalog::PoliciesForTool(std::string_view server,
                                                          std::string_view tool) const {
  const FindPolicySet& find = data_->options.policies;
  const bool known = !tool.empty() && data_->content.policies.contains(server);
  if (!known || !find) return PoliciesFor(server);
  const Definition* const listed = FindToolOf(server, tool);
  if (listed != nullptr) return listed->policies;
  return find({.endpoint = data_->options.view.name, .server = server, .tool = tool});
}

Result<std::shared_ptr<const std::string>> Catalog::List(mcp::Method method, mcp::Version version,
                                                         std::optional<std::string_view> cursor,
                                                         const Sight* sight) const {
  const std::optional<ItemKind> kind = KindOf(method);
  if (!kind) return Failure(Code::kInternal, Origin::kGateway, "not a list method");
  std::size_t number = 0;
  if (cursor && !cursor->empty()) {
    const auto opened = data_->cursors.Open(mcp::Info(method).name, *cursor);
    if (!opened) return Failure(Code::kInvalid, Origin::kClient, "invalid cursor");
    // Rounded down when pages were of another size: an item twice is better than an item lost.
    const std::size_t size = data_->options.page_size;
    number = size == 0 ? 0 : opened->offset / size;
  }
  if (sight != nullptr) return data_->ListSeen(*kind, method, version, number, *sight);
  auto& list = data_->lists[static_cast<std::size_t>(*kind)][static_cast<std::size_t>(version)];
  const ListHint hint = data_->content.hints[static_cast<std::size_t>(*kind)];
  std::call_once(list.once, [&] {
    list.pages = data_->BuildPages(*kind, method, version, data_->All(*kind), hint);
  });
  if (number < list.pages.size()) return list.pages[number];
  return data_->BeyondTheLast(*kind, version, data_->All(*kind), hint);
}

std::string Catalog::Capabilities(mcp::Version version, const Sight* sight) const {
  if (sight == nullptr) return data_->capabilities[static_cast<std::size_t>(version)];
  return OfferSeen(data_->content, data_->options.view, *sight).ToJson(version);
}

bool Catalog::Offers(std::string_view capability, const Sight* sight) const {
  if (sight == nullptr) return data_->content.offer.Has(capability);
  return OfferSeen(data_->content, data_->options.view, *sight).Has(capability);
}

std::string Catalog::Instructions(const Sight* sight) const {
  if (sight == nullptr) return data_->content.instructions;
  return InstructionsSeen(data_->content, data_->options, *sight);
}

bool Catalog::ShowsBuiltin(const Definition& builtin, const Sight& sight) const {
  return IsAskedFor(builtin, data_->content, sight);
}

std::string Catalog::ExposedUri(std::string_view server, std::string_view uri) const {
  return data_->ExposedUri(server, uri);
}

bool Catalog::RewritesUrisOf(std::string_view server) const {
  const Content& content = data_->content;
  if (data_->options.view.transparent) return false;
  if (content.resource_owners < 2 && !content.rewrites) return false;
  const auto owner = content.owners.find(server);
  return owner != content.owners.end() && owner->second.has_resources;
}

std::uint64_t Catalog::UriViewOf(std::string_view server) const {
  return RewritesUrisOf(server) ? data_->uri_view : 0;
}

bool Catalog::IsUp(std::string_view server) const {
  const auto owner = data_->content.owners.find(server);
  return owner != data_->content.owners.end() && !owner->second.down;
}

const std::vector<Collision>& Catalog::collisions() const { return data_->content.collisions; }
const std::vector<std::string>& Catalog::problems() const { return data_->content.problems; }
const std::map<std::string, std::string>& Catalog::missing() const {
  return data_->content.missing;
}
TimePoint Catalog::outages_until() const { return data_->content.outages_until; }
const EndpointView& Catalog::view() const { return data_->options.view; }
std::uint64_t Catalog::revision() const { return data_->revision; }
const std::vector<Definition>& Catalog::items(ItemKind kind) const {
  return data_->content.of(kind);
}

Catalog::Changes Catalog::Since(const Catalog& before) const {
  const auto changed = [&](ItemKind kind) {
    const auto at = static_cast<std::size_t>(kind);
    return data_->hashes[at] != before.data_->hashes[at];
  };
  return {.tools = changed(ItemKind::kTool),
          .prompts = changed(ItemKind::kPrompt),
          .resources = changed(ItemKind::kResource) || changed(ItemKind::kTemplate)};
}

}  // namespace switchyard::catalog
