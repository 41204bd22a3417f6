#include "catalog/catalog.h"

#include <array>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

#include "catalog/content.h"
#include "catalog/cursor.h"
#include "catalog/names.h"
#include "catalog/render.h"

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

std::size_t HashOf(const std::vector<Definition>& items) {
  std::size_t hash = items.size();
  for (const Definition& item : items) hash = Mix(Mix(hash, item.exposed), item.json);
  return hash;
}

Destination To(const Definition& definition) {
  return {.server = definition.server, .name = definition.name, .definition = &definition};
}

bool AnyMatches(const std::vector<Content::Template>& templates, std::string_view uri) {
  for (const Content::Template& candidate : templates) {
    if (candidate.pattern.Matches(uri)) return true;
  }
  return false;
}

}  // namespace

struct Catalog::Data {
  // Constant after Build().
  Options options;
  std::uint64_t revision;
  Content content;
  CursorSealer cursors;
  std::array<std::string, kVersions> capabilities;
  std::array<std::size_t, kItemKinds> hashes;

  // Filled once each, on first use, by whichever thread comes first.
  struct Pages {
    std::once_flag once;
    std::vector<std::shared_ptr<const std::string>> pages;
  };
  mutable std::array<std::array<Pages, kVersions>, kItemKinds> lists;

  Data(Options given, std::vector<ServerState> servers, std::uint64_t given_revision)
      : options(std::move(given)),
        revision(given_revision),
        content(MergeServers(options, std::move(servers))),
        cursors(options.cursor_key, options.view.name) {
    for (std::size_t i = 0; i < kVersions; ++i) {
      capabilities[i] = content.offer.ToJson(static_cast<mcp::Version>(i));
    }
    for (std::size_t kind = 0; kind < kItemKinds; ++kind) {
      hashes[kind] = HashOf(content.items[kind]);
    }
  }

  std::optional<Destination> Find(ItemKind kind, std::string_view exposed) const {
    const auto& index = content.by_exposed[static_cast<std::size_t>(kind)];
    const auto found = index.find(exposed);
    if (found == index.end()) return std::nullopt;
    return To(*found->second);
  }

  std::optional<Destination> FindRewritten(std::string_view uri) const {
    const std::optional<RewrittenUri> parsed = ParseRewrittenUri(uri);
    if (!parsed || options.view.transparent) return std::nullopt;
    const auto owner = content.owners.find(parsed->server);
    if (owner == content.owners.end() || !owner->second.has_resources) return std::nullopt;
    const auto exact = owner->second.resources.find(parsed->original);
    if (exact != owner->second.resources.end()) return To(*exact->second);
    return Destination{.server = owner->first, .name = parsed->original, .definition = nullptr};
  }

  std::vector<std::shared_ptr<const std::string>> BuildPages(ItemKind kind, mcp::Method method,
                                                             mcp::Version version) const {
    RenderOptions render{.keep_header_params = options.view.transparent, .exposed_uri = {}};
    if (content.rewrites) {
      render.exposed_uri = [this](std::string_view server, std::string_view uri) {
        return ExposedUri(server, uri);
      };
    }
    const std::span<const Definition> items(content.of(kind));
    const std::size_t size = options.page_size == 0 ? items.size() : options.page_size;
    std::vector<std::shared_ptr<const std::string>> pages;
    std::size_t begin = 0;
    do {
      const std::size_t end = std::min(items.size(), begin + size);
      Page page{.key = kListKeys[static_cast<std::size_t>(kind)],
                .items = items.subspan(begin, end - begin),
                .next_cursor = {},
                .missing = &content.missing,
                .hint = content.hints[static_cast<std::size_t>(kind)]};
      if (end < items.size()) {
        page.next_cursor =
            cursors.Seal(mcp::Info(method).name, {.revision = revision, .offset = end});
      }
      pages.push_back(std::make_shared<const std::string>(RenderPage(page, version, render)));
      begin = end;
    } while (begin < items.size());
    return pages;
  }

  std::optional<Destination> Find(std::string_view uri) const;
  std::string ExposedUri(std::string_view server, std::string_view uri) const;
};

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
  const std::optional<Destination> leads = Find(uri);
  const bool back = leads ? leads->server == server : !owner->second.has_resources;
  return back ? std::string(uri) : RewriteUri(server, uri);
}

std::optional<Destination> Catalog::Data::Find(std::string_view uri) const {
  if (auto exact = Find(ItemKind::kResource, uri)) return exact;
  const auto original = content.by_original.find(uri);
  if (original != content.by_original.end()) return To(*original->second);
  if (auto rewritten = FindRewritten(uri)) return rewritten;
  std::string_view only;
  for (const auto& [server, owner] : content.owners) {
    if (AnyMatches(owner.templates, uri)) return Destination{server, uri, nullptr};
    if (owner.has_resources) only = server;
  }
  if (content.resource_owners == 1) return Destination{only, uri, nullptr};
  return std::nullopt;
}

std::shared_ptr<const Catalog> Catalog::Build(Options options, std::vector<ServerState> servers,
                                              std::uint64_t revision) {
  return std::shared_ptr<const Catalog>(
      new Catalog(std::make_unique<Data>(std::move(options), std::move(servers), revision)));
}

Catalog::Catalog(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Catalog::~Catalog() = default;

std::optional<Destination> Catalog::FindTool(std::string_view exposed) const {
  return data_->Find(ItemKind::kTool, exposed);
}

std::optional<Destination> Catalog::FindPrompt(std::string_view exposed) const {
  return data_->Find(ItemKind::kPrompt, exposed);
}

std::optional<Destination> Catalog::FindResource(std::string_view uri) const {
  return data_->Find(uri);
}

Result<std::shared_ptr<const std::string>> Catalog::List(
    mcp::Method method, mcp::Version version, std::optional<std::string_view> cursor) const {
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
  auto& list = data_->lists[static_cast<std::size_t>(*kind)][static_cast<std::size_t>(version)];
  std::call_once(list.once, [&] { list.pages = data_->BuildPages(*kind, method, version); });
  if (number < list.pages.size()) return list.pages[number];
  // The list has become shorter since.
  const Page empty{.key = kListKeys[static_cast<std::size_t>(*kind)],
                   .items = {},
                   .next_cursor = {},
                   .missing = &data_->content.missing,
                   .hint = data_->content.hints[static_cast<std::size_t>(*kind)]};
  return std::make_shared<const std::string>(RenderPage(empty, version, {}));
}

const std::string& Catalog::Capabilities(mcp::Version version) const {
  return data_->capabilities[static_cast<std::size_t>(version)];
}

bool Catalog::Offers(std::string_view capability) const {
  return data_->content.offer.Has(capability);
}

const std::string& Catalog::Instructions() const { return data_->content.instructions; }

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

const std::vector<Collision>& Catalog::collisions() const { return data_->content.collisions; }
const std::vector<std::string>& Catalog::problems() const { return data_->content.problems; }
const std::map<std::string, std::string>& Catalog::missing() const {
  return data_->content.missing;
}
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
