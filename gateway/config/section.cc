#include "config/section.h"

#include <algorithm>

#include "config/text_check.h"
#include "config/tree.h"
#include "config/units.h"

namespace switchyard::config {
namespace {

constexpr std::size_t kLongestPath = 300;

std::string Got(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a mapping";
    case Node::Kind::kScalar: break;
  }
  return node.quoted || node.text.empty() ? Quote(node.text) : Printable(node.text);
}

// Where a person looks for what is wrong with an entry. A mapping begins at its own first key, and
// the place of nothing is that of whatever comes next.
Mark PlaceOf(const Entry& entry) {
  const bool is_value =
      entry.value->kind == Node::Kind::kScalar || entry.value->kind == Node::Kind::kList;
  return is_value ? entry.value->at : entry.at;
}

}  // namespace

Section::Section(Document& document, std::shared_ptr<const Node> map, Mark at, std::string path,
                 std::string shape)
    : document_(&document),
      map_(std::move(map)),
      at_(at),
      path_(std::move(path)),
      shape_(std::move(shape)) {}

Section::Section(Section&& other) noexcept
    : document_(std::exchange(other.document_, nullptr)),
      map_(std::move(other.map_)),
      at_(other.at_),
      path_(std::move(other.path_)),
      shape_(std::move(other.shape_)),
      asked_(std::move(other.asked_)),
      noted_(std::move(other.noted_)),
      ignored_(std::move(other.ignored_)) {}

Section::~Section() { Finish(); }

void Section::Finish() {
  if (document_ == nullptr) return;
  NoteTheRest();
  Document& document = *std::exchange(document_, nullptr);
  document.asked_[shape_].insert(asked_.begin(), asked_.end());
  const std::vector<std::string> allowed(asked_.begin(), asked_.end());
  for (const Entry& entry : map_->entries) {
    if (asked_.contains(entry.key)) continue;
    if (std::ranges::any_of(ignored_, [&](auto& p) { return entry.key.starts_with(p); })) continue;
    std::string message;
    if (!document.problems_.full()) {
      message = "unknown key" + DidYouMean(entry.key, allowed);
      message += (message.ends_with('?') ? " allowed: " : ", allowed: ") + Listing(allowed);
    }
    document.problems_.Error(entry.at, PathOf(Printable(entry.key)), std::move(message));
  }
}

const Node* Section::Find(std::string_view key) const {
  const Entry* entry = map_->Find(key);
  return entry == nullptr ? nullptr : entry->value.get();
}

const Node* Section::Ask(std::string_view key) {
  asked_.emplace(key);
  return Find(key);
}

std::string Section::PathOf(std::string_view key) const {
  if (path_.empty() || key.empty() || key.starts_with('[')) return path_ + std::string(key);
  return path_ + "." + std::string(key);
}

std::string Section::ShapeOf(std::string_view key) const {
  return shape_.empty() ? std::string(key) : shape_ + "." + std::string(key);
}

// `key`, `key.name` or `key[2]`; as much of it as is there.
Mark Section::MarkOf(std::string_view key) const {
  const std::size_t split = key.find_first_of(".[");
  const Entry* entry = map_->Find(key.substr(0, split));
  if (entry == nullptr) return at_;
  if (split == std::string_view::npos) return PlaceOf(*entry);
  const Node& node = *entry->value;
  if (key[split] == '.') {
    const Entry* inner = node.Find(key.substr(split + 1));
    return inner == nullptr ? PlaceOf(*entry) : PlaceOf(*inner);
  }
  const auto index = ParseInteger(key.substr(split + 1, key.size() - split - 2)).value_or(-1);
  const bool there = index >= 0 && static_cast<std::size_t>(index) < node.items.size();
  return there ? node.items[static_cast<std::size_t>(index)]->at : PlaceOf(*entry);
}

void Section::Wrong(const Node& node, Mark at, std::string path, std::string_view expected,
                    std::string_view hint) {
  std::string message = "must be " + std::string(expected) + ", got " + Got(node);
  document_->problems_.Error(at, std::move(path), message.append(hint));
}

bool Section::Has(std::string_view key) { return Ask(key) != nullptr; }

bool Section::IsMapping(std::string_view key) {
  const Node* node = Ask(key);
  return node != nullptr && node->kind == Node::Kind::kMap;
}

bool Section::IsList(std::string_view key) {
  const Node* node = Ask(key);
  return node != nullptr && node->kind == Node::Kind::kList;
}

std::optional<Section> Section::Child(std::string_view key, std::string_view expected) {
  const Entry* entry = Ask(key) == nullptr ? nullptr : map_->Find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->kind != Node::Kind::kMap) {
    Wrong(*entry->value, MarkOf(key), PathOf(key), expected);
    return std::nullopt;
  }
  noted_.emplace(key);
  return Section(*document_, entry->value, entry->at, PathOf(key), ShapeOf(key));
}

std::vector<std::pair<std::string, Section>> Section::Children(std::string_view key) {
  std::vector<std::pair<std::string, Section>> out;
  const Node* node = Ask(key);
  if (node == nullptr) return out;
  if (node->kind != Node::Kind::kMap) {
    Wrong(*node, MarkOf(key), PathOf(key), "a mapping of names to mappings");
    return out;
  }
  noted_.emplace(key);
  for (const Entry& entry : node->entries) {
    std::string path = PathOf(key) + "." + Printable(entry.key);
    if (entry.value->kind != Node::Kind::kMap) {
      Wrong(*entry.value, PlaceOf(entry), std::move(path), "a mapping");
      continue;
    }
    out.emplace_back(entry.key, Section(*document_, entry.value, entry.at, std::move(path),
                                        ShapeOf(key) + ".*"));
  }
  return out;
}

std::vector<Section> Section::Items(std::string_view key) {
  std::vector<Section> out;
  const Node* node = Ask(key);
  if (node == nullptr) return out;
  if (node->kind != Node::Kind::kList) {
    Wrong(*node, MarkOf(key), PathOf(key), "a list of mappings");
    return out;
  }
  noted_.emplace(key);
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const NodePtr& item = node->items[i];
    std::string path = PathOf(key) + "[" + std::to_string(i) + "]";
    if (item->kind != Node::Kind::kMap) {
      Wrong(*item, item->at, std::move(path), "a mapping");
      continue;
    }
    out.push_back(Section(*document_, item, item->at, std::move(path), ShapeOf(key) + "[]"));
  }
  return out;
}

void Section::Error(std::string_view key, std::string message) {
  document_->problems_.Error(MarkOf(key), Printable(PathOf(key), kLongestPath), std::move(message));
}

void Section::Warning(std::string_view key, std::string message) {
  document_->problems_.Warning(MarkOf(key), Printable(PathOf(key), kLongestPath),
                               std::move(message));
}

void Section::Ignore(std::string_view prefix) { ignored_.emplace_back(prefix); }

}  // namespace switchyard::config
