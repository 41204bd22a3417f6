#include "policies/lib/json_schema/resources.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

// Relative names need something that they are relative to.
constexpr std::string_view kNoBase = "json-schema:///";

std::string ResolveUri(std::string_view base, std::string_view reference) {
  const auto from = boost::urls::parse_uri(base);
  const auto to = boost::urls::parse_uri_reference(reference);
  if (!from || !to) return std::string(reference);
  boost::urls::url whole;
  if (!boost::urls::resolve(*from, *to, whole)) return std::string(reference);
  return std::string(whole.buffer());
}

std::string_view WithoutFragment(std::string_view uri) { return uri.substr(0, uri.find('#')); }

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const bool whole = text[i] == '%' && i + 2 < text.size() &&
                       std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr ==
                           text.data() + i + 3;
    out += whole ? static_cast<char>(code) : text[i];
    if (whole) i += 2;
  }
  return out;
}

// One step of a JSON pointer.
std::string Unescaped(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool escape = step[i] == '~' && i + 1 < step.size();
    if (!escape) {
      out += step[i];
    } else {
      out += step[++i] == '1' ? '/' : '~';
    }
  }
  return out;
}

}  // namespace

Holds WhatHolds(std::string_view keyword) {
  using Row = std::pair<std::string_view, Holds>;
  static constexpr std::array<Row, 22> kTable = {{
      {"additionalItems", Holds::kSchema},
      {"additionalProperties", Holds::kSchema},
      {"allOf", Holds::kSchemas},
      {"anyOf", Holds::kSchemas},
      {"contains", Holds::kSchema},
      {"$defs", Holds::kNamedSchemas},
      {"definitions", Holds::kNamedSchemas},
      {"dependencies", Holds::kNamedSchemas},
      {"dependentSchemas", Holds::kNamedSchemas},
      {"else", Holds::kSchema},
      {"if", Holds::kSchema},
      {"items", Holds::kSchemaOrSchemas},
      {"not", Holds::kSchema},
      {"oneOf", Holds::kSchemas},
      {"patternProperties", Holds::kNamedSchemas},
      {"prefixItems", Holds::kSchemas},
      {"properties", Holds::kNamedSchemas},
      {"propertyNames", Holds::kSchema},
      {"then", Holds::kSchema},
      {"unevaluatedItems", Holds::kSchema},
      {"unevaluatedProperties", Holds::kSchema},
      {"contentSchema", Holds::kSchema},
  }};
  const auto found = std::ranges::find(kTable, keyword, &Row::first);
  return found == kTable.end() ? Holds::kData : found->second;
}

Dialect DialectOf(const JsonDoc& doc) {
  std::string scratch;
  const std::uint32_t at = doc.Find(0, "$schema");
  if (at == 0 || doc[at].kind != Kind::kString) return Dialect::k2020;
  const std::string_view uri = doc.Text(at, scratch);
  const bool old = uri.contains("json-schema.org/draft-0");
  return old ? Dialect::kDraft7 : Dialect::k2020;
}

Resources::Resources(const JsonDoc& doc, Dialect dialect) : doc_(doc), dialect_(dialect) {
  all_.push_back({.uri = std::string(kNoBase), .root = 0, .anchors = {}, .dynamic_anchors = {}});
  by_root_[0] = 0;
  by_uri_[std::string(kNoBase)] = 0;
  const std::string id = StringAt(0, "$id");
  const bool named =
      !WithoutFragment(id).empty() && (dialect == Dialect::k2020 || doc.Find(0, "$ref") == 0);
  if (named) {
    all_[0].uri = WithoutFragment(ResolveUri(kNoBase, id));
    by_uri_[all_[0].uri] = 0;
  }
  Scan(0, 0);
}

std::string Resources::StringAt(std::uint32_t object, std::string_view key) const {
  std::string scratch;
  const std::uint32_t at = doc_.Find(object, key);
  if (at == 0 || doc_[at].kind != Kind::kString) return {};
  return std::string(doc_.Text(at, scratch));
}

std::uint32_t Resources::Enter(std::uint32_t schema, std::uint32_t resource) {
  const std::string id = StringAt(schema, "$id");
  const bool ignored = dialect_ == Dialect::kDraft7 && doc_.Find(schema, "$ref") != 0;
  if (ignored) return resource;
  if (schema != 0 && !WithoutFragment(id).empty()) {
    const auto number = static_cast<std::uint32_t>(all_.size());
    std::string uri(WithoutFragment(ResolveUri(all_[resource].uri, id)));
    by_uri_.emplace(uri, number);
    by_root_[schema] = number;
    all_.push_back({.uri = std::move(uri), .root = schema, .anchors = {}, .dynamic_anchors = {}});
    resource = number;
  }
  if (dialect_ == Dialect::kDraft7 && id.contains('#') && !id.ends_with('#')) {
    all_[resource].anchors.emplace(id.substr(id.find('#') + 1), schema);
  }
  if (dialect_ == Dialect::kDraft7) return resource;
  if (std::string name = StringAt(schema, "$anchor"); !name.empty()) {
    all_[resource].anchors.emplace(std::move(name), schema);
  }
  if (std::string name = StringAt(schema, "$dynamicAnchor"); !name.empty()) {
    all_[resource].anchors.emplace(name, schema);
    dynamic_.push_back({.name = std::move(name), .place = {.value = schema, .resource = resource}});
  }
  return resource;
}

void Resources::Scan(std::uint32_t value, std::uint32_t resource) {
  if (doc_[value].kind != Kind::kObject) return;
  resource = Enter(value, resource);
  std::string scratch;
  for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i + 1].after) {
    ScanMember(doc_.Text(i, scratch), i + 1, resource);
  }
}

void Resources::ScanMember(std::string_view keyword, std::uint32_t value, std::uint32_t resource) {
  const Holds holds = WhatHolds(keyword);
  const bool list = doc_[value].kind == Kind::kArray;
  if (holds == Holds::kSchema || (holds == Holds::kSchemaOrSchemas && !list)) {
    Scan(value, resource);
  } else if (holds == Holds::kNamedSchemas && doc_[value].kind == Kind::kObject) {
    for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i + 1].after) {
      Scan(i + 1, resource);
    }
  } else if (holds != Holds::kData && list) {
    for (std::uint32_t i = value + 1; i < doc_[value].after; i = doc_[i].after) Scan(i, resource);
  }
}

std::uint32_t Resources::ResourceOf(std::uint32_t schema, std::uint32_t outer) const {
  const auto found = by_root_.find(schema);
  return found == by_root_.end() ? outer : found->second;
}

bool Resources::IsDynamic(std::uint32_t schema, std::string_view name) const {
  return std::ranges::any_of(dynamic_, [&](const DynamicAnchor& anchor) {
    return anchor.place.value == schema && anchor.name == name;
  });
}

std::optional<Place> Resources::Resolve(std::string_view reference, std::uint32_t resource) const {
  const std::string_view uri = WithoutFragment(reference);
  std::string_view fragment = reference.substr(uri.size());
  if (!fragment.empty()) fragment.remove_prefix(1);
  if (!uri.empty()) {
    const auto found =
        by_uri_.find(std::string(WithoutFragment(ResolveUri(all_[resource].uri, uri))));
    if (found == by_uri_.end()) return std::nullopt;
    resource = found->second;
  }
  const Place root{.value = all_[resource].root, .resource = resource};
  const std::string name = PercentDecoded(fragment);
  if (name.empty()) return root;
  if (name.front() == '/') return Walk(root, name);
  const auto anchor = all_[resource].anchors.find(name);
  if (anchor == all_[resource].anchors.end()) return std::nullopt;
  return Place{.value = anchor->second, .resource = resource};
}

std::optional<Place> Resources::Walk(Place from, std::string_view pointer) const {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    const std::string step = Unescaped(raw);
    pointer.remove_prefix(raw.size());
    std::uint32_t next = doc_.Find(from.value, step);
    if (doc_[from.value].kind == Kind::kArray) {
      std::uint32_t index = 0;
      const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      const bool inside = error == std::errc() && end == step.data() + step.size() &&
                          index < doc_[from.value].count;
      if (!inside) return std::nullopt;
      for (next = from.value + 1; index > 0; --index) next = doc_[next].after;
    }
    if (next == 0) return std::nullopt;
    from = {.value = next, .resource = ResourceOf(next, from.resource)};
  }
  return from;
}

}  // namespace switchyard::json_schema
