#include "audit/lines.h"

#include <cerrno>
#include <unistd.h>

#include "audit/record.h"

namespace switchyard::audit {

LineReader::Found LineReader::Next(std::string_view& line) {
  constexpr std::size_t kChunk = std::size_t{256} << 10;
  std::size_t looked = begin_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', looked);
    if (end != std::string::npos) {
      line = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = end + 1;
      return line.size() > kLongestLine ? Found::kTooLong : Found::kLine;
    }
    if (buffer_.size() - begin_ > kLongestLine + 1) return Found::kTooLong;
    if (ended_) break;
    buffer_.erase(0, begin_);
    begin_ = 0;
    looked = buffer_.size();
    buffer_.resize(looked + kChunk);
    const ssize_t got = ::read(fd_.get(), buffer_.data() + looked, kChunk);
    buffer_.resize(looked + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Found::kError;
    bytes_ += static_cast<std::uint64_t>(got);
    ended_ = got == 0;
  }
  line = std::string_view(buffer_).substr(begin_);
  begin_ = buffer_.size();
  return line.empty() ? Found::kEnd : Found::kTorn;
}

}  // namespace switchyard::audit
