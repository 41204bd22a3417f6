#include "policies/lib/json_schema/compile.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/lib/json_schema/compiler.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

constexpr std::size_t kMaxLocation = 200;

bool NameBefore(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

bool IsSchema(Kind kind) {
  return kind == Kind::kObject || kind == Kind::kTrue || kind == Kind::kFalse;
}

// A name of `properties` and of `required` becomes one; the last of two properties counts.
void JoinNames(ObjectRules& rules) {
  for (std::size_t i = 0; i < rules.required.size(); ++i) {
    rules.names.push_back({.key = rules.required[i], .required = static_cast<std::int32_t>(i)});
  }
  std::ranges::sort(rules.names, [](const ObjectRules::Name& a, const ObjectRules::Name& b) {
    return a.key == b.key ? a.schema < b.schema : NameBefore(a.key, b.key);  // later ones last
  });
  std::vector<ObjectRules::Name> joined;
  for (ObjectRules::Name& name : rules.names) {
    if (joined.empty() || joined.back().key != name.key) {
      joined.push_back(std::move(name));
      continue;
    }
    if (name.property) joined.back().schema = name.schema;
    if (name.required >= 0) joined.back().required = name.required;
    joined.back().property |= name.property;
  }
  rules.names = std::move(joined);
}

}  // namespace

std::string Below(const std::string& location, std::string_view key) {
  if (location.size() + key.size() > kMaxLocation) return location;
  std::string out = location + '/';
  for (const char c : key) {
    if (c == '~' || c == '/') {
      out.append(c == '~' ? "~0" : "~1");
    } else {
      out += c;
    }
  }
  return out;
}

const ObjectRules::Name* ObjectRules::Find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(names, key, &NameBefore, &Name::key);
  return found != names.end() && found->key == key ? &*found : nullptr;
}

Compiler::Compiler(Tree& tree)
    : tree_(tree), doc_(tree.doc), dialect_(DialectOf(doc_)), resources_(doc_, dialect_) {}

void Compiler::Run() {
  tree_.resources.assign(resources_.all().begin(), resources_.all().end());
  Want({.value = 0, .resource = 0}, "");
  for (const Resources::DynamicAnchor& anchor : resources_.dynamic_anchors()) {
    const NodeIndex node = Want(anchor.place, "#" + anchor.name.substr(0, kMaxLocation));
    tree_.resources[anchor.place.resource].dynamic_anchors.emplace(anchor.name, node);
  }
  while (!waiting_.empty()) {  // no recursion: schemas may refer to each other without end
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    Node node;
    building_ = &node;
    Build(node, next);
    tree_.nodes[next.node] = std::move(node);
  }
}

void Compiler::Build(Node& node, const Waiting& from) {
  node.location = from.location;
  node.resource = from.place.resource;
  const JsonDoc::Value& schema = doc_[from.place.value];
  node.never = schema.kind == Kind::kFalse;
  if (schema.kind != Kind::kObject) return;
  const bool alone = dialect_ == Dialect::kDraft7 && doc_.Find(from.place.value, "$ref") != 0;
  std::string scratch;
  for (std::uint32_t i = from.place.value + 1; i < schema.after; i = doc_[i + 1].after) {
    const std::string_view name = doc_.Text(i, scratch);
    const Keyword* keyword = FindKeyword(name);
    if (keyword == nullptr || (alone && name != "$ref")) continue;
    if (keyword->only_2020 && dialect_ == Dialect::kDraft7) continue;
    const Member member{.name = std::string(name),
                        .value = i + 1,
                        .schema = from.place.value,
                        .resource = from.place.resource,
                        .location = Below(from.location, name)};
    (this->*keyword->read)(node, member);
  }
  if (node.object != nullptr) JoinNames(*node.object);
}

void Compiler::Note(const Member& member, std::string_view why) {
  building_->partial = true;
  if (tree_.notes.size() < kMaxNotes) {
    tree_.notes.push_back(fmt::format("{} is not checked: {}", member.location, why));
  }
}

bool Compiler::Is(const Member& member, Kind kind, std::string_view wanted) {
  if (doc_[member.value].kind == kind) return true;
  Note(member, fmt::format("it is not {}", wanted));
  return false;
}

NodeIndex Compiler::Want(Place place, std::string location) {
  const auto known = known_.find(place.value);
  if (known != known_.end()) return known->second;
  if (tree_.nodes.size() == kMaxNodes) {
    if (building_ != nullptr) building_->partial = true;
    if (!std::exchange(full_, true)) {
      tree_.notes.push_back(fmt::format("what is beyond {} schemas is not checked", kMaxNodes));
    }
    return kNoNode;
  }
  const auto node = static_cast<NodeIndex>(tree_.nodes.size());
  tree_.nodes.emplace_back();
  known_.emplace(place.value, node);
  waiting_.push_back({.place = place, .node = node, .location = std::move(location)});
  return node;
}

NodeIndex Compiler::Sub(std::uint32_t value, const Member& member, std::string location) {
  if (!IsSchema(doc_[value].kind)) {
    Note(member, "a schema is an object, true or false");
    return kNoNode;
  }
  const std::uint32_t resource = resources_.ResourceOf(value, member.resource);
  return Want({.value = value, .resource = resource}, std::move(location));
}

std::vector<NodeIndex> Compiler::List(const Member& member) {
  std::vector<NodeIndex> nodes;
  if (!Is(member, Kind::kArray, "an array")) return nodes;
  for (std::uint32_t i = member.value + 1; i < doc_[member.value].after; i = doc_[i].after) {
    nodes.push_back(Sub(i, member, Below(member.location, std::to_string(nodes.size()))));
  }
  return nodes;
}

std::vector<std::string> Compiler::Strings(std::uint32_t list, const Member& member) {
  std::vector<std::string> strings;
  if (doc_[list].kind != Kind::kArray) {
    Note(member, "it is not an array");
    return strings;
  }
  std::string scratch;
  for (std::uint32_t i = list + 1; i < doc_[list].after; i = doc_[i].after) {
    if (doc_[i].kind == Kind::kString) strings.emplace_back(doc_.Text(i, scratch));
  }
  return strings;
}

std::vector<std::pair<std::string, std::uint32_t>> Compiler::Entries(const Member& member) {
  std::vector<std::pair<std::string, std::uint32_t>> entries;
  if (!Is(member, Kind::kObject, "an object")) return entries;
  std::string scratch;
  const std::uint32_t end = doc_[member.value].after;
  for (std::uint32_t i = member.value + 1; i < end; i = doc_[i + 1].after) {
    entries.emplace_back(doc_.Text(i, scratch), i + 1);
  }
  return entries;
}

std::unique_ptr<const Tree> Compile(std::string text) {
  auto tree = std::make_unique<Tree>();
  tree->text = std::move(text);
  auto doc = JsonDoc::Parse(tree->text);
  if (!doc) {
    tree->notes.push_back(fmt::format("the schema is not checked: {}", doc.error()));
    tree->nodes.emplace_back();
    return tree;
  }
  tree->doc = std::move(*doc);
  if (!IsSchema(tree->doc[0].kind)) {
    tree->notes.emplace_back("the schema is not checked: it is neither an object nor a boolean");
  }
  Compiler(*tree).Run();
  return tree;
}

}  // namespace switchyard::json_schema
