// Keys of the Store, made on the stack. Parts cannot run into each other whatever they hold, and a
// key is short however long they are: ("a", "bc") and ("ab", "c") differ, and a part over 64 bytes
// stands as its SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/container/small_vector.hpp>

namespace switchyard::policies {

class StoreKey {
 public:
  StoreKey& Add(std::string_view part) {
    if (part.size() >= 10) return AddLong(part);
    char* const at = Extend(part.size() + 2);
    at[0] = static_cast<char>('0' + part.size());
    at[1] = ':';
    part.copy(at + 2, part.size());
    return *this;
  }
  // What Add() made before, to begin with.
  StoreKey& Continue(std::string_view text);
  std::string_view text() const { return {buffer_.data(), buffer_.size()}; }
  // Of all keys that begin with what is here so far (Store::Key::scope).
  std::uint64_t Scope() const;

 private:
  StoreKey& AddLong(std::string_view part);
  // Room for so many more bytes.
  char* Extend(std::size_t by) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + by, boost::container::default_init);
    return buffer_.data() + before;
  }

  boost::container::small_vector<char, 232> buffer_;
};

}  // namespace switchyard::policies
