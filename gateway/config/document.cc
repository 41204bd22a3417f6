#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/remembered.h"
#include "config/section.h"
#include "config/tree.h"

namespace switchyard::config {

Document::Document(std::string text, std::string file, const Environment& environment)
    : text_(std::move(text)),
      environment_(std::make_shared<Remembered>(environment)),
      problems_(std::move(file), environment_.get()),
      root_(ParseTree(text_, problems_)) {}

Document::Document(const Excerpt& excerpt)
    : environment_(excerpt.environment),
      problems_(excerpt.file, environment_.get()),
      root_(excerpt.map),
      excerpt_(excerpt) {}

Document::~Document() {
  if (!excerpt_) environment_->Close();
}

Excerpt Excerpt::Nothing() {
  static const Excerpt nothing = [] {
    auto map = std::make_shared<Node>();
    map->kind = Node::Kind::kMap;
    auto environment = std::make_shared<Remembered>(ProcessEnvironment());
    environment->Close();
    Excerpt made;
    made.map = std::move(map);
    made.environment = std::move(environment);
    return made;
  }();
  return nothing;
}

std::optional<Section> Document::Root() {
  if (!root_) return std::nullopt;
  if (excerpt_) return Section(*this, root_, excerpt_->at, excerpt_->path, excerpt_->shape);
  if (root_->kind == Node::Kind::kMap) return Section(*this, root_, root_->at, "", "");
  if (root_->kind == Node::Kind::kNull) {
    problems_.Error({}, "", "is empty, expected a mapping with servers");
  } else {
    problems_.Error(root_->at, "", "expected a mapping at the top");
  }
  return std::nullopt;
}

Mark Document::Locate(const Node& scalar, std::string_view token, std::size_t offset) const {
  std::size_t start = 0;
  for (int line = 1; line < scalar.at.line; ++line) {
    start = text_.find('\n', start);
    if (start == std::string::npos) return scalar.at;
    ++start;
  }
  start += static_cast<std::size_t>(scalar.at.column - 1);
  if (start > text_.size()) return scalar.at;
  // Quotes, escapes and indentation may make the text longer than the value, but not by much.
  const std::string_view window =
      std::string_view(text_).substr(start, 2 * scalar.text.size() + 512);
  std::size_t at = 0;
  for (std::size_t seen = scalar.text.find(token);; seen = scalar.text.find(token, seen + 1)) {
    at = window.find(token, at);
    if (at == std::string_view::npos || seen == std::string::npos) return scalar.at;
    if (seen >= offset) break;
    ++at;
  }
  const std::string_view before = window.substr(0, at);
  const auto lines = static_cast<int>(std::ranges::count(before, '\n'));
  if (lines == 0) return {scalar.at.line, scalar.at.column + static_cast<int>(at)};
  return {scalar.at.line + lines, static_cast<int>(at - before.rfind('\n'))};
}

std::string Document::Directory() const {
  return std::filesystem::path(problems_.file()).parent_path();
}

}  // namespace switchyard::config
