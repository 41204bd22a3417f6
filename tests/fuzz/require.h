// What the fuzzers share: how a broken promise ends a run, and inputs of several lines.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace switchyard::fuzz {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// An input read line by line, so that a corpus can be read, too; the last one may have any bytes.
class Lines {
 public:
  Lines(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  std::string Next() {
    const std::size_t end = rest_.find('\n');
    std::string line(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line;
  }
  std::string Rest() const { return std::string(rest_); }

 private:
  std::string_view rest_;
};

}  // namespace switchyard::fuzz
