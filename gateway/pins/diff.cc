#include "pins/diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace switchyard::pins {
namespace {

constexpr std::size_t kMostCells = 4'000'000;

using Lines = std::vector<std::string_view>;

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// Between the equal heads and tails.
void DiffMiddle(const Lines& a, const Lines& b, std::vector<DiffLine>& out) {
  const std::size_t width = b.size() + 1;
  const auto all = [&out](char mark, const Lines& lines, std::size_t from) {
    for (std::size_t i = from; i < lines.size(); ++i) {
      out.push_back({mark, std::string(lines[i])});
    }
  };
  if ((a.size() + 1) * width > kMostCells) {
    all('-', a, 0);
    all('+', b, 0);
    return;
  }
  // Longest common subsequences of what follows.
  std::vector<std::uint32_t> longest((a.size() + 1) * width);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      longest[i * width + j] =
          a[i] == b[j] ? longest[(i + 1) * width + j + 1] + 1
                       : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] == b[j]) {
      out.push_back({' ', std::string(a[i])});
      ++i, ++j;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      out.push_back({'-', std::string(a[i++])});
    } else {
      out.push_back({'+', std::string(b[j++])});
    }
  }
  all('-', a, i);
  all('+', b, j);
}

}  // namespace

std::vector<DiffLine> DiffLines(std::string_view before, std::string_view after) {
  Lines a = Split(before), b = Split(after);
  std::vector<DiffLine> out;
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) {
    out.push_back({' ', std::string(a[head++])});
  }
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  const auto middle = [head, tail](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  DiffMiddle(middle(a), middle(b), out);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) out.push_back({' ', std::string(a[i])});
  return out;
}

std::string DiffText(const std::vector<DiffLine>& lines, std::size_t context, bool colours) {
  std::vector<bool> shown(lines.size(), false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].mark == ' ') continue;
    const std::size_t from = i > context ? i - context : 0;
    const std::size_t to = std::min(lines.size(), i + context + 1);
    for (std::size_t k = from; k < to; ++k) shown[k] = true;
  }
  std::string out;
  bool gap = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!shown[i]) {
      if (!gap) out += "  ...\n";
      gap = true;
      continue;
    }
    gap = false;
    const char mark = lines[i].mark;
    const bool paint = colours && mark != ' ';
    if (paint) out += mark == '+' ? "\x1b[32m" : "\x1b[31m";
    out.append(1, mark).append(" ").append(lines[i].text);
    if (paint) out += "\x1b[0m";
    out += '\n';
  }
  return out;
}

}  // namespace switchyard::pins
