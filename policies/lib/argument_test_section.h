// How tests of arguments stand in a configuration. (A Section is config::Section, which lib does
// not know.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/lib/argument_test.h"

namespace switchyard::policies {

inline constexpr std::size_t kMaxArgumentPattern = 4096;
inline constexpr std::int64_t kMaxArgumentRegexMemory = 1 << 20;
inline constexpr double kHugeArgument = 1e300;

// A text or a list of texts, none of them empty; empty: it is not there, or a problem is told.
template <class Section>
std::vector<std::string> OneOrMore(Section& section, std::string_view key) {
  std::optional<std::vector<std::string>> values;
  if (section.IsList(key)) {
    values = section.Strings(key);
  } else if (auto value = section.String(key)) {
    values.emplace().push_back(std::move(*value));
  }
  if (!values) return {};
  const bool empty = std::ranges::any_of(*values, &std::string::empty);
  if (values->empty() || empty) {
    section.Error(key, "names nothing: leave it out where it does not matter");
    return {};
  }
  return std::move(*values);
}

template <class Section>
std::shared_ptr<const re2::RE2> CompileArgumentRegex(Section& section) {
  const auto text = section.String("regex");
  if (!text) return nullptr;
  if (text->size() > kMaxArgumentPattern) {
    section.Error("regex", fmt::format("has more than {} bytes", kMaxArgumentPattern));
    return nullptr;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_dot_nl(true);  // a line end in an argument is no way around a pattern
  options.set_max_mem(kMaxArgumentRegexMemory);
  auto regex = std::make_shared<const re2::RE2>(*text, options);
  if (regex->ok()) return regex;
  section.Error("regex", "is no regular expression of RE2: " + regex->error());
  return nullptr;
}

template <class Section>
ArgumentTest ReadArgumentTest(Section& section) {
  ArgumentTest test{.at = section.String("at").value_or("")};
  if (!section.Has("at")) section.Error("at", "is missing: a JSON pointer such as /amount");
  if (auto tokens = PointerTokens(test.at)) {
    test.tokens = std::move(*tokens);
  } else {
    section.Error("at", "must be a JSON pointer such as /amount or /items/*/id, got " + test.at);
  }
  test.globs = OneOrMore(section, "glob");
  test.one_of = OneOrMore(section, "one_of");
  test.regex = CompileArgumentRegex(section);
  test.min = section.Number("min", -kHugeArgument, kHugeArgument);
  test.max = section.Number("max", -kHugeArgument, kHugeArgument);
  test.present = section.Bool("present");
  const bool of_value =
      !test.globs.empty() || !test.one_of.empty() || section.Has("regex") || test.min || test.max;
  if (!of_value && !test.present) {
    section.Error("", "tests nothing: needs glob, one_of, regex, min, max or present");
  }
  if (of_value && test.present == false) {
    section.Error("present", "false leaves nothing to test");
  }
  if (test.min && test.max && *test.min > *test.max) section.Error("min", "is more than max");
  return test;
}

}  // namespace switchyard::policies
