// Two definitions, line by line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::pins {

struct DiffLine {
  char mark;  // ' ', '-' or '+'
  std::string text;
};

// The fewest lines in and out; of texts beyond some thousand changed lines, all out and all in.
std::vector<DiffLine> DiffLines(std::string_view before, std::string_view after);

// With at most `context` lines that are the same around each change, "..." for what is left out.
std::string DiffText(const std::vector<DiffLine>& lines, std::size_t context, bool colours);

}  // namespace switchyard::pins
