// What a Section notes of the values it gave, for whoever explains a configuration.
#include <utility>

#include "config/section.h"
#include "config/text_check.h"
#include "config/tree.h"
#include "config/units.h"

namespace switchyard::config {
namespace {

// As one line of YAML.
std::string Written(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::kNull: return "";
    case Node::Kind::kScalar: return Printable(node.text);
    case Node::Kind::kList:
      for (const NodePtr& item : node.items) out += (out.empty() ? "" : ", ") + Written(*item);
      return "[" + out + "]";
    case Node::Kind::kMap:
      for (const Entry& entry : node.entries) {
        out += (out.empty() ? "" : ", ") + Printable(entry.key) + ": " + Written(*entry.value);
      }
      return "{" + out + "}";
  }
  return out;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + Printable(word);
  return "[" + out + "]";
}

std::string NumberText(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

void Section::Note(std::string_view key, std::string value, bool given) {
  if (!records() || !noted_.emplace(key).second) return;
  std::string path = PathOf(key);
  const std::size_t root = document_->excerpt_->path.size();
  path.erase(0, root == 0 ? 0 : root + 1);
  document_->readings_.push_back(
      {.path = std::move(path), .value = std::move(value), .given = given, .at = MarkOf(key)});
}

void Section::Shows(std::string_view key, std::string value) {
  if (records()) Note(key, std::move(value), Ask(key) != nullptr);
}

void Section::IsOff(std::string why) { document_->why_off_ = std::move(why); }

void Section::IsOnUnsaid() { document_->on_unsaid_ = true; }

// Keys that a reader asked for by plain getters.
void Section::NoteTheRest() {
  if (!records()) return;
  for (const Entry& entry : map_->entries) {
    if (asked_.contains(entry.key)) Note(entry.key, Written(*entry.value), true);
  }
}

bool Section::Take(std::string_view key, bool& into) {
  const std::optional<bool> value = Bool(key);
  if (value) into = *value;
  Shows(key, into ? "true" : "false");
  return value.has_value();
}

bool Section::Take(std::string_view key, double& into, double min, double max) {
  const std::optional<double> value = Number(key, min, max);
  if (value) into = *value;
  Shows(key, NumberText(into));
  return value.has_value();
}

bool Section::Take(std::string_view key, std::string& into) {
  std::optional<std::string> value = String(key);  // notes it as it was written
  if (value) into = std::move(*value);
  Shows(key, Printable(into));
  return value.has_value();
}

bool Section::Take(std::string_view key, std::vector<std::string>& into) {
  std::optional<std::vector<std::string>> value = Strings(key);
  const Node* node = Ask(key);
  if (value) into = std::move(*value);
  Shows(key, node != nullptr ? Written(*node) : Joined(into));
  return value.has_value();
}

bool Section::Take(std::string_view key, Nanoseconds& into, Nanoseconds min, Nanoseconds max) {
  const std::optional<Nanoseconds> value = Duration(key, min, max);
  if (value) into = *value;
  Shows(key, FormatDuration(into));
  return value.has_value();
}

bool Section::TakeBytes(std::string_view key, std::size_t& into, std::size_t min, std::size_t max) {
  const std::optional<std::size_t> value = Bytes(key, min, max);
  if (value) into = *value;
  Shows(key, FormatBytes(into));
  return value.has_value();
}

Excerpt Section::Keep() const {
  return {.map = map_,
          .at = at_,
          .path = path_,
          .shape = shape_,
          .file = document_->problems_.file(),
          .environment = document_->environment_};
}

}  // namespace switchyard::config
