#include "downstream/line_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace switchyard::downstream {
namespace {

// From here on the buffer itself becomes the line, which saves a copy of a big answer.
constexpr std::size_t kHandOver = LineBuffer::kRoom / 2;

}  // namespace

void LineBuffer::Resize(std::size_t size) {
  data_.resize_and_overwrite(size, [](char*, std::size_t n) { return n; });
}

std::span<char> LineBuffer::Room() {
  if (too_long_) return {};
  if (begin_ == end_) begin_ = scanned_ = end_ = 0;
  if (data_.size() - end_ < kRoom / 4 && begin_ > 0) {
    std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (data_.size() - end_ < kRoom / 4) Resize(std::max(kRoom, data_.size() * 2));
  return {data_.data() + end_, data_.size() - end_};
}

std::optional<std::string> LineBuffer::Next() {
  while (!too_long_) {
    const void* found =
        end_ > scanned_ ? std::memchr(data_.data() + scanned_, '\n', end_ - scanned_) : nullptr;
    const std::size_t newline =
        found == nullptr ? end_
                         : static_cast<std::size_t>(static_cast<const char*>(found) - data_.data());
    if (newline - begin_ > cap_) {
      too_long_ = true;
      begin_ = scanned_ = end_ = 0;
      data_ = std::string();
      break;
    }
    if (found == nullptr) {
      scanned_ = end_;
      break;
    }
    std::string line = Cut(newline);
    if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
  }
  return std::nullopt;
}

std::string LineBuffer::Cut(std::size_t newline) {
  std::size_t length = newline - begin_;
  if (length > 0 && data_[newline - 1] == '\r') --length;
  std::string line;
  if (begin_ == 0 && length >= kHandOver) {
    const std::size_t rest = end_ - (newline + 1);
    std::string fresh;
    fresh.resize_and_overwrite(std::max(kRoom, rest), [](char*, std::size_t n) { return n; });
    std::memcpy(fresh.data(), data_.data() + newline + 1, rest);
    line = std::exchange(data_, std::move(fresh));
    line.resize(length);
    scanned_ = 0;
    end_ = rest;
    return line;
  }
  line.assign(data_, begin_, length);
  begin_ = scanned_ = newline + 1;
  return line;
}

}  // namespace switchyard::downstream
