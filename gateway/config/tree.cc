#include "config/tree.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/text_check.h"

namespace switchyard::config {
namespace {

Mark MarkFrom(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}

// Leaves the parser in the middle of its work; caught in ParseTree and nowhere else.
struct Refused {
  Mark at;
  std::string message;
};

// Turns the parser's events into Nodes. One use.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  NodePtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Complete(Start(Node::Kind::kNull, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{MarkFrom(mark), "an alias inside its own anchor"};
    Attach(found->second, MarkFrom(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    auto node = Start(Node::Kind::kScalar, mark);
    node->text = value;
    node->quoted = tag != "?";
    Complete(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Node::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  // a key was read and its value comes next
    bool good_key = false;
    std::string key;
    Mark key_at;
    std::unordered_map<std::string, int> seen;  // key -> line; Node::Find would be quadratic
    std::vector<NodePtr> merges;
  };

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.Error(MarkFrom(mark), Path(), "tags are not supported, got " + Quote(tag));
  }

  std::shared_ptr<Node> Start(Node::Kind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->at = MarkFrom(mark);
    return node;
  }

  void Open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    CheckTag(mark, tag);
    if (frames_.size() >= kMaxDepth) Refuse(MarkFrom(mark), "nested deeper", kMaxDepth, "levels");
    Frame& frame = frames_.emplace_back();
    frame.node = Start(kind, mark);
    frame.anchor = anchor;
  }

  void Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (const NodePtr& merge : frame.merges) Merge(frame, *merge);
    Complete(std::move(frame.node), frame.anchor);
  }

  void Complete(std::shared_ptr<Node> node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    const Mark at = node->at;
    Attach(std::move(node), at);
  }

  // Puts a finished node where the parser stands.
  void Attach(NodePtr node, Mark at) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node->kind == Node::Kind::kList) {
      Grow(*frame.node, *node, at);
      frame.node->items.push_back(std::move(node));
    } else if (!frame.has_key) {
      TakeKey(frame, *node, at);
    } else {
      TakeValue(frame, std::move(node), at);
    }
  }

  void TakeKey(Frame& frame, const Node& key, Mark at) {
    frame.has_key = true;
    frame.good_key = key.kind == Node::Kind::kScalar;
    frame.key = key.text;
    frame.key_at = at;
    if (!frame.good_key) {
      problems_.Error(at, Path(), "a key must be a plain word");
      return;
    }
    const auto [first, is_new] = frame.seen.try_emplace(frame.key, at.line);
    if (is_new) return;
    problems_.Error(at, Path(),
                    "duplicate key, first set at line " + std::to_string(first->second));
    frame.good_key = false;
  }

  void TakeValue(Frame& frame, NodePtr value, Mark at) {
    frame.has_key = false;
    if (!frame.good_key) return;
    if (frame.key == "<<") {
      TakeMerge(frame, value, at);
      return;
    }
    Grow(*frame.node, *value, at);
    frame.node->entries.push_back(
        {.key = std::move(frame.key), .at = frame.key_at, .value = std::move(value)});
  }

  void TakeMerge(Frame& frame, const NodePtr& value, Mark at) {
    std::vector<NodePtr> maps = {value};
    if (value->kind == Node::Kind::kList) maps = value->items;
    for (const NodePtr& map : maps) {
      if (map->kind != Node::Kind::kMap) {
        const std::string path = Path();
        problems_.Error(at, path + (path.empty() ? "<<" : ".<<"),
                        "must be a mapping or a list of mappings to merge");
        return;
      }
    }
    frame.merges.insert(frame.merges.end(), maps.begin(), maps.end());
  }

  // An explicit key wins over a merged one, an earlier merge over a later one.
  void Merge(Frame& into, const Node& from) {
    for (const Entry& entry : from.entries) {
      if (!into.seen.try_emplace(entry.key, entry.at.line).second) continue;
      Grow(*into.node, *entry.value, into.node->at);
      into.node->entries.push_back(entry);
    }
  }

  void Grow(Node& parent, const Node& child, Mark at) {
    parent.weight += child.weight;
    parent.depth = std::max(parent.depth, child.depth + 1);
    if (parent.weight > kMaxNodes) Refuse(at, "more values", kMaxNodes, "with aliases expanded");
    if (parent.depth > kMaxDepth) Refuse(at, "nested deeper", kMaxDepth, "levels");
  }

  [[noreturn]] void Refuse(Mark at, std::string what, std::size_t limit, std::string unit) {
    throw Refused{at, what + " than the limit of " + std::to_string(limit) + " " + unit};
  }

  // Of the place where the parser stands, for problems found before there are Sections.
  std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.node->kind == Node::Kind::kList) {
        path += "[" + std::to_string(frame.node->items.size()) + "]";
      } else if (frame.has_key && !frame.key.empty()) {
        if (!path.empty()) path += ".";
        path += Printable(frame.key);
      }
    }
    return path;
  }

  Problems& problems_;
  NodePtr root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, NodePtr> anchors_;
};

// Line `number`, counted from 1; empty when there is none.
std::string_view Line(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

bool HasTabIndent(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first != std::string_view::npos && line[first] == '\t';
}

// yaml-cpp's own words, and what it does not say: the two mistakes that people make most.
std::string Worded(std::string message, const std::string& text, Mark at) {
  if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z') message[0] += 'a' - 'A';
  while (message.ends_with('.')) message.pop_back();
  const std::string_view line = Line(text, at.line);
  std::string out = "not valid yaml: " + Printable(message);
  if (HasTabIndent(line) || HasTabIndent(Line(text, at.line - 1))) {
    out += "; indent with spaces, not tabs";
  } else if (message.contains("flow") && line.contains("${")) {
    out += "; between { } and [ ] a ${...} must stand in quotes";
  }
  return out;
}

}  // namespace

const Entry* Node::Find(std::string_view key) const {
  auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

NodePtr ParseTree(const std::string& text, Problems& problems) {
  if (text.size() > kMaxText) {
    problems.Error({}, "",
                   "larger than the limit of " + std::to_string(kMaxText) + " bytes, got " +
                       std::to_string(text.size()));
    return nullptr;
  }
  if (auto bad = FindBadByte(text)) {
    problems.Error(bad->at, "", bad->message);
    return nullptr;
  }
  Builder builder(problems);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder) || builder.root() == nullptr) {
      problems.Error({}, "", "is empty, expected a mapping with servers");
      return nullptr;
    }
    NodePtr root = builder.root();
    Builder second(problems);
    if (parser.HandleNextDocument(second)) {
      problems.Error({}, "", "holds more than one document, expected one");
    }
    return root;
  } catch (const YAML::Exception& e) {
    const Mark at = MarkFrom(e.mark);
    problems.Error(at, "", Worded(e.msg, text, at));
  } catch (const Refused& refused) {
    problems.Error(refused.at, "", refused.message);
  }
  return nullptr;
}

}  // namespace switchyard::config
