// The lines of a file, one after the other in bounded memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.h"

namespace switchyard::audit {

class LineReader {
 public:
  enum class Found : std::uint8_t {
    kLine,
    kTorn,     // what follows the last line break; then there is nothing more
    kTooLong,  // longer than any record
    kEnd,
    kError,  // of reading: errno says which
  };

  explicit LineReader(Fd fd) : fd_(std::move(fd)) {}

  // `line`: without its line break; valid until the next call.
  Found Next(std::string_view& line);

  std::uint64_t bytes() const { return bytes_; }  // read so far

 private:
  Fd fd_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not given out
  bool ended_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace switchyard::audit
