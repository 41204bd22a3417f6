// The values that a Section gives out: scalars, lists and maps of scalars.
#include <algorithm>
#include <expected>
#include <utility>

#include "config/environment.h"
#include "config/expand.h"
#include "config/remembered.h"
#include "config/section.h"
#include "config/text_check.h"
#include "config/tree.h"
#include "config/units.h"

namespace switchyard::config {
namespace {

constexpr const char* kBoolText = "true or false";
constexpr const char* kIntegerText = "a whole number";
constexpr const char* kNumberText = "a number";
constexpr const char* kDurationText = "a duration such as 250ms, 30s or 5m";
constexpr const char* kBytesText = "a size such as 64KiB or 4MB";

// "8" in quotes is a string; "${PORT}" has to be in quotes inside {} and is not.
bool IsTyped(const Node& node, const Expanded& value) { return !node.quoted || value.expanded; }

template <class T>
std::optional<std::string> OutOfRange(T value, T min, T max, std::string min_text,
                                      std::string max_text, bool has_max) {
  if (value >= min && value <= max) return std::nullopt;
  if (!has_max) return "at least " + min_text;
  return "between " + min_text + " and " + max_text;
}

void AddScalars(const Node& node, std::set<const Node*>& out) {
  if (node.kind == Node::Kind::kScalar) out.insert(&node);
  for (const NodePtr& item : node.items) AddScalars(*item, out);
  for (const Entry& entry : node.entries) AddScalars(*entry.value, out);
}

std::string FormatNumber(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

// A scalar with its ${...} expanded.
std::optional<Expanded> Section::Read(const Node& node, const std::string& path,
                                      std::string_view expected) {
  if (node.kind != Node::Kind::kScalar) {
    Wrong(node, node.at, path, expected);
    return std::nullopt;
  }
  if (node.text.contains('\0')) {
    // It would silently cut what exec, open and the environment get to see.
    document_->problems_.Error(node.at, path, "must not hold a zero byte");
    return std::nullopt;
  }
  if (!node.text.contains("${")) return Expanded{node.text, node.text, false};
  auto value = Expand(node.text, document_->Directory(), *document_->environment_);
  if (value) return std::move(*value);
  for (ExpandProblem& problem : value.error()) {
    Problems& problems = document_->problems_;
    const Mark at =
        problems.full() ? node.at : document_->Locate(node, problem.token, problem.offset);
    problems.Error(at, path, std::move(problem.message));
  }
  return std::nullopt;
}

// The node of a key that is there and holds a scalar, else null.
const Node* Section::Scalar(std::string_view key, std::string_view expected) {
  const Node* node = Ask(key);
  if (node == nullptr || node->kind == Node::Kind::kScalar) return node;
  Wrong(*node, MarkOf(key), PathOf(key), expected);
  return nullptr;
}

// `parse(text)` gives a T or what the value must be instead. Numbers and words of YAML are strings
// when they are quoted; what is a string anyway (`30s`) may be quoted or not.
template <class T, class Parse>
std::optional<T> Section::Parsed(std::string_view key, const char* expected, Parse parse,
                                 Quotes quotes) {
  const Node* node = Scalar(key, expected);
  if (node == nullptr) return std::nullopt;
  const auto text = Read(*node, PathOf(key), expected);
  if (!text) return std::nullopt;
  if (quotes == Quotes::kMatter && !IsTyped(*node, *text)) {
    Wrong(*node, node->at, PathOf(key), expected);
    return std::nullopt;
  }
  std::expected<T, std::string> value = parse(text->value);
  if (value) return std::move(*value);
  Wrong(*node, node->at, PathOf(key), value.error());
  return std::nullopt;
}

std::optional<std::string> Section::String(std::string_view key) {
  auto text = Text(key);
  if (!text) return std::nullopt;
  return text->Reveal();
}

std::optional<Secret> Section::SecretString(std::string_view key) {
  IsSecret(key);
  return Text(key);
}

void Section::IsSecret(std::string_view key) {
  if (const Node* node = Ask(key); node != nullptr && !records()) {
    AddScalars(*node, document_->secrets_);
  }
}

std::optional<Secret> Section::Text(std::string_view key) {
  const Node* node = Scalar(key, "a string");
  if (node == nullptr) return std::nullopt;
  auto text = Read(*node, PathOf(key), "a string");
  if (!text) return std::nullopt;
  Note(key, text->shown, true);
  return Secret(std::move(text->value), std::move(text->shown));
}

std::optional<bool> Section::Bool(std::string_view key) {
  return Parsed<bool>(key, kBoolText,
                      [](const std::string& text) -> std::expected<bool, std::string> {
                        if (text == "true") return true;
                        if (text == "false") return false;
                        return std::unexpected(kBoolText);
                      });
}

std::optional<std::int64_t> Section::Integer(std::string_view key, std::int64_t min,
                                             std::int64_t max) {
  using Result = std::expected<std::int64_t, std::string>;
  return Parsed<std::int64_t>(key, kIntegerText, [&](const std::string& text) -> Result {
    const auto value = ParseInteger(text);
    if (!value) return std::unexpected(kIntegerText);
    const bool has_max = max != std::numeric_limits<std::int64_t>::max();
    auto range = OutOfRange(*value, min, max, std::to_string(min), std::to_string(max), has_max);
    if (range) return std::unexpected(*range);
    return *value;
  });
}

std::optional<double> Section::Number(std::string_view key, double min, double max) {
  using Result = std::expected<double, std::string>;
  return Parsed<double>(key, kNumberText, [&](const std::string& text) -> Result {
    const auto value = ParseNumber(text);
    if (!value) return std::unexpected(kNumberText);
    const bool has_max = max != std::numeric_limits<double>::max();
    auto range = OutOfRange(*value, min, max, FormatNumber(min), FormatNumber(max), has_max);
    if (range) return std::unexpected(*range);
    return *value;
  });
}

std::optional<Section::Nanoseconds> Section::Duration(std::string_view key, Nanoseconds min,
                                                      Nanoseconds max) {
  using Result = std::expected<Nanoseconds, std::string>;
  return Parsed<Nanoseconds>(
      key, kDurationText,
      [&](const std::string& text) -> Result {
        const auto value = ParseDuration(text);
        if (!value && value.error() == UnitError::kNoUnit) {
          return std::unexpected("a number with a unit, for example " + Printable(text) + "s or " +
                                 Printable(text) + "ms");
        }
        if (!value && value.error() == UnitError::kMalformed) {
          return std::unexpected(kDurationText);
        }
        const Nanoseconds found = value.value_or(Nanoseconds::max());
        auto range = OutOfRange(found, min, max, FormatDuration(min), FormatDuration(max), true);
        if (range) return std::unexpected(*range);
        return found;
      },
      Quotes::kAreFine);
}

std::optional<std::size_t> Section::Bytes(std::string_view key, std::size_t min, std::size_t max) {
  using Result = std::expected<std::size_t, std::string>;
  return Parsed<std::size_t>(
      key, kBytesText,
      [&](const std::string& text) -> Result {
        const auto value = ParseBytes(text);
        if (!value && value.error() == UnitError::kMalformed) return std::unexpected(kBytesText);
        const std::size_t found = value.value_or(std::numeric_limits<std::size_t>::max());
        auto range = OutOfRange(found, min, max, FormatBytes(min), FormatBytes(max), true);
        if (range) return std::unexpected(*range);
        return found;
      },
      Quotes::kAreFine);
}

std::optional<std::string> Section::Enum(std::string_view key,
                                         std::initializer_list<std::string_view> allowed) {
  const std::vector<std::string> words(allowed.begin(), allowed.end());
  const std::string expected = "one of " + Listing(words);
  const Node* node = Scalar(key, expected);
  if (node == nullptr) return std::nullopt;
  const auto text = Read(*node, PathOf(key), expected);
  if (!text) return std::nullopt;
  if (std::ranges::find(words, text->value) != words.end()) return text->value;
  // The nearest word tells a little about the value, so not when it came from a variable.
  const std::string hint = text->expanded ? "" : DidYouMean(text->value, words);
  Wrong(*node, node->at, PathOf(key), expected, hint);
  return std::nullopt;
}

// Lists and maps hold command lines, variables and headers: a value in their place is not quoted.
void Section::WrongShape(const Node& node, std::string_view key, std::string_view expected) {
  if (node.kind == Node::Kind::kScalar) {
    Error(key, "must be " + std::string(expected) + ", got a string");
  } else {
    Wrong(node, MarkOf(key), PathOf(key), expected);
  }
}

template <class T, class Make>
std::optional<std::vector<T>> Section::ListOf(std::string_view key, Make make) {
  const Node* node = Ask(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Node::Kind::kList) {
    WrongShape(*node, key, "a list of strings");
    return std::nullopt;
  }
  std::vector<T> out;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const std::string path = PathOf(key) + "[" + std::to_string(i) + "]";
    if (auto text = Read(*node->items[i], path, "a string")) out.push_back(make(std::move(*text)));
  }
  return out;
}

std::optional<std::vector<std::string>> Section::Strings(std::string_view key) {
  return ListOf<std::string>(key, [](Expanded text) { return std::move(text.value); });
}

std::optional<std::vector<Secret>> Section::SecretStrings(std::string_view key) {
  IsSecret(key);
  return ListOf<Secret>(
      key, [](Expanded text) { return Secret(std::move(text.value), std::move(text.shown)); });
}

template <class T, class Make>
std::optional<std::map<std::string, T>> Section::MapOf(std::string_view key, Make make) {
  const Node* node = Ask(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Node::Kind::kMap) {
    WrongShape(*node, key, "a mapping of names to strings");
    return std::nullopt;
  }
  std::map<std::string, T> out;
  for (const Entry& entry : node->entries) {
    const std::string path = PathOf(key) + "." + Printable(entry.key);
    if (entry.value->kind == Node::Kind::kNull) {
      Wrong(*entry.value, entry.at, path, "a string");
    } else if (auto text = Read(*entry.value, path, "a string")) {
      out.emplace(entry.key, make(std::move(*text)));
    }
  }
  return out;
}

std::optional<std::map<std::string, std::string>> Section::StringMap(std::string_view key) {
  return MapOf<std::string>(key, [](Expanded text) { return std::move(text.value); });
}

std::optional<std::map<std::string, Secret>> Section::SecretMap(std::string_view key) {
  IsSecret(key);
  if (Ask(key) != nullptr) Note(key, Secret::kMask, true);
  return MapOf<Secret>(key, [](Expanded text) { return Secret(std::move(text.value)); });
}

}  // namespace switchyard::config
