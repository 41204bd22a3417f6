#include "config/expand.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/text_check.h"

namespace switchyard::config {
namespace {

constexpr std::string_view kFilePrefix = "file:";

bool IsName(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

using Value = std::expected<std::string, std::string>;

Value FromFile(std::string path, const std::string& directory, const Environment& environment) {
  if (path.empty()) return std::unexpected("${file:} needs a path such as ${file:/run/secrets/x}");
  if (!path.starts_with('/') && !directory.empty()) path = directory + "/" + path;
  auto content = environment.ReadFile(path);
  if (!content) return std::unexpected("cannot read " + Quote(path) + ": " + content.error());
  // Editors and `echo` end a file with a newline that nobody means as part of a secret.
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (content->contains('\0')) return std::unexpected(Quote(path) + " holds a zero byte");
  return std::move(*content);
}

Value FromVariable(std::string_view body, const Environment& environment) {
  const std::size_t dash = body.find(":-");
  const std::string name(body.substr(0, dash));
  if (!IsName(name)) {
    return std::unexpected("expected ${NAME}, ${NAME:-default} or ${file:path}, got " +
                           Printable("${" + std::string(body) + "}"));
  }
  std::optional<std::string> value = environment.Get(name);
  if (dash == std::string_view::npos) {
    if (value) return std::move(*value);
    return std::unexpected("environment variable " + name + " is not set; set it or write ${" +
                           name + ":-default}");
  }
  // As in a shell, :- also stands in for an empty value.
  if (value && !value->empty()) return std::move(*value);
  return std::string(body.substr(dash + 2));
}

}  // namespace

std::expected<Expanded, std::vector<ExpandProblem>> Expand(std::string_view text,
                                                           const std::string& directory,
                                                           const Environment& environment) {
  Expanded out;
  std::vector<ExpandProblem> problems;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("${", at);
    if (open != std::string_view::npos && open > at && text[open - 1] == '$') {
      out.value.append(text.substr(at, open - 1 - at)).append("${");
      out.shown.append(text.substr(at, open - at)).append("${");
      at = open + 2;
      continue;
    }
    out.value.append(text.substr(at, open - at));
    out.shown.append(text.substr(at, open - at));
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      problems.push_back({open, std::string(text.substr(open)),
                          "${ without a closing }; write $${ for a literal ${"});
      break;
    }
    const std::string_view body = text.substr(open + 2, close - open - 2);
    Value value =
        body.starts_with(kFilePrefix)
            ? FromFile(std::string(body.substr(kFilePrefix.size())), directory, environment)
            : FromVariable(body, environment);
    if (body.contains("${")) value = std::unexpected("${...} cannot be nested");
    if (value && out.value.size() + value->size() > kMaxExpanded) {
      value = std::unexpected("longer than the limit of " + std::to_string(kMaxExpanded) +
                              " bytes when expanded");
    }
    if (value) {
      out.expanded = true;
      out.value += *value;
      const bool is_file = body.starts_with(kFilePrefix);
      out.shown.append("${").append(is_file ? body : body.substr(0, body.find(":-"))).append("}");
    } else {
      problems.push_back({open, std::string(text.substr(open, close - open)), value.error()});
    }
    at = close + 1;
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return out;
}

}  // namespace switchyard::config
