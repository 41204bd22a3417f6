#include "config/problem.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "config/remembered.h"

namespace switchyard::config {
namespace {

char Fold(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c + ('a' - 'A'));
  return c == '-' ? '_' : c;
}

// Edits (insert, erase, replace, swap of neighbours) that lead from a to b; max_list_servers and
// MaxListServers-style case and dashes cost nothing.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = Fold(a[i - 1]) == Fold(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && Fold(a[i - 1]) == Fold(b[j - 2]) && Fold(a[i - 2]) == Fold(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string Problem::ToString() const {
  std::string out = file;
  if (at.line > 0) out += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  out += severity == Severity::kWarning ? ": warning: " : ": ";
  if (!path.empty()) out += path + ": ";
  return out + message;
}

void Problems::Error(Mark at, std::string path, std::string message) {
  Add(Severity::kError, at, std::move(path), std::move(message));
}

void Problems::Warning(Mark at, std::string path, std::string message) {
  Add(Severity::kWarning, at, std::move(path), std::move(message));
}

void Problems::Add(const Problems& others) {
  for (const Problem& problem : others.kept_) {
    Add(problem.severity, problem.at, problem.path, problem.message);
  }
}

void Problems::Add(Severity severity, Mark at, std::string path, std::string message) {
  if (expanded_ != nullptr && !full()) message = expanded_->Hide(message);
  Problem problem{.severity = severity,
                  .file = file_,
                  .at = at,
                  .path = std::move(path),
                  .message = std::move(message)};
  if (std::ranges::find(kept_, problem) != kept_.end()) return;
  if (severity == Severity::kError) ++errors_;
  if (kept_.size() >= kMaxProblems) {
    ++dropped_;
    return;
  }
  kept_.push_back(std::move(problem));
}

std::vector<Problem> Problems::InFileOrder(Severity severity) const {
  std::vector<std::pair<Mark, std::size_t>> order;  // ties stay in the order of finding
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (kept_[i].severity == severity) order.emplace_back(kept_[i].at, i);
  }
  std::ranges::sort(order);
  std::vector<Problem> out;
  out.reserve(order.size());
  for (const auto& [at, index] : order) out.push_back(kept_[index]);
  return out;
}

std::vector<Problem> Problems::Errors() const {
  std::vector<Problem> out = InFileOrder(Severity::kError);
  if (dropped_ > 0) {
    out.push_back({.severity = Severity::kError,
                   .file = file_,
                   .at = {},
                   .path = "",
                   .message = std::to_string(dropped_) + " more problems not shown"});
  }
  return out;
}

std::vector<Problem> Problems::Warnings() const { return InFileOrder(Severity::kWarning); }

std::string_view Nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kLongest = 64;  // the distance is quadratic, and no key is longer
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = Distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  for (const std::string& candidate : candidates) {  // environment -> env
    const std::size_t shorter = std::min(word.size(), candidate.size());
    if (shorter >= 3 && word.substr(0, shorter) == candidate.substr(0, shorter)) return candidate;
  }
  return {};
}

std::string Listing(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : ", did you mean " + std::string(nearest) + "?";
}

}  // namespace switchyard::config
