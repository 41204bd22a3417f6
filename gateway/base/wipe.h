// Overwrites what was secret before its memory is given back, so that the next one who gets that
// memory, or a dump of it, does not have it. Strings that grew or were copied have left some of it
// elsewhere: reserve first.
#pragma once

#include <string>

#include <openssl/crypto.h>

namespace switchyard {

inline void Wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

// At the end of its life; outlived by the text.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::string& text) : text_(text) {}
  WipedAtEnd(const WipedAtEnd&) = delete;
  ~WipedAtEnd() { Wipe(text_); }

 private:
  std::string& text_;
};

}  // namespace switchyard
