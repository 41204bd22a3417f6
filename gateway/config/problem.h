// What is wrong in a configuration file, where, and what would be right. Problems are collected,
// never thrown: a user sees all of them at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::config {

class Remembered;

// 1-based, as editors count; columns count bytes. Line 0 = the whole file.
struct Mark {
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Mark&, const Mark&) = default;
};

enum class Severity : std::uint8_t { kError, kWarning };

struct Problem {
  Severity severity = Severity::kError;
  std::string file;
  Mark at;
  std::string path;     // of the key: servers.billing.url; empty = the document
  std::string message;  // lower case, no full stop, names the value and what is allowed

  // `file:line:column: servers.billing.url: message`, with `warning: ` before the path of one.
  std::string ToString() const;

  friend bool operator==(const Problem&, const Problem&) = default;
};

// The collector of one load. Not thread-safe; lives as long as the Document that it belongs to.
// More than kMaxProblems are counted, not kept: a hostile file cannot fill the memory. The same
// problem at the same place, found a second time, is one problem.
class Problems {
 public:
  static constexpr std::size_t kMaxProblems = 200;

  // What `expanded` was asked for is never in a message, however a reader words it. Borrowed.
  explicit Problems(std::string file, const Remembered* expanded = nullptr)
      : file_(std::move(file)), expanded_(expanded) {}

  void Error(Mark at, std::string path, std::string message);
  void Warning(Mark at, std::string path, std::string message);
  // What another reading found.
  void Add(const Problems& others);

  // Whether another one would only be counted; saves the work of wording it.
  bool full() const { return kept_.size() >= kMaxProblems; }
  bool has_errors() const { return errors_ > 0; }
  const std::string& file() const { return file_; }

  // In the order of the file. Errors() ends with a line that counts what was not kept.
  std::vector<Problem> Errors() const;
  std::vector<Problem> Warnings() const;

 private:
  void Add(Severity severity, Mark at, std::string path, std::string message);
  std::vector<Problem> InFileOrder(Severity severity) const;

  const std::string file_;
  const Remembered* const expanded_;
  std::vector<Problem> kept_;
  std::size_t errors_ = 0;
  std::size_t dropped_ = 0;
};

// The candidate that a user most likely meant by `word`, or empty when none is near.
std::string_view Nearest(std::string_view word, std::span<const std::string> candidates);

// `a, b, c`; `none` for an empty list.
std::string Listing(std::span<const std::string> words);

// `, did you mean x?` when a candidate is near, else empty.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace switchyard::config
