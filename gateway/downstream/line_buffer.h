// Cuts a stream of bytes into lines without looking at a byte twice. Bounded: a line over the cap
// is reported, not stored. Pure; one owner at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace switchyard::downstream {

class LineBuffer {
 public:
  static constexpr std::size_t kRoom = 64 * 1024;

  explicit LineBuffer(std::size_t cap) : cap_(cap) {}

  // Where the next read goes; never empty unless too_long(). Valid until any other call.
  std::span<char> Room();
  void Wrote(std::size_t bytes) { end_ += bytes; }

  // The next whole line without its end, blank ones left out; nullopt: read on.
  std::optional<std::string> Next();

  // A line is over the cap. Nothing more can be had.
  bool too_long() const { return too_long_; }
  // What is there of a line without an end: the last words of a peer that went away.
  std::string Rest() const { return data_.substr(begin_, end_ - begin_); }

 private:
  std::string Cut(std::size_t newline);
  void Resize(std::size_t size);

  const std::size_t cap_;
  std::string data_;  // its size is the room; only [begin_, end_) holds bytes
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;  // no newline in [begin_, scanned_)
  std::size_t end_ = 0;
  bool too_long_ = false;
};

}  // namespace switchyard::downstream
