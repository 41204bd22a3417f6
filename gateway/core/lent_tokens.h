// The tokens that callers have shown, at hand only while a request with them is served: for sources
// that have them exchanged for others (RFC 8693). Found by their digest (Principal::credential), so
// a call need not carry one, wherever it goes. Wiped when the last such request is over.
//
// Thread-safe. Bounded by the requests that are served at a time.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace switchyard {

class LentTokens {
 public:
  class Token {
   public:
    Token(std::string credential, std::string_view text);
    Token(const Token&) = delete;
    ~Token();
    const std::string& text() const { return text_; }  // never logged, never shown

   private:
    friend class LentTokens;
    struct Shelf;
    std::shared_ptr<Shelf> shelf_ = nullptr;
    const std::string credential_;
    std::string text_;
  };
  using TokenPtr = std::shared_ptr<const Token>;

  LentTokens();

  // Whether anybody would ask: where nobody does, none is lent.
  bool wanted() const { return wanting_->load(std::memory_order_relaxed) > 0; }
  // Somebody may, for as long as what is given lives.
  std::shared_ptr<const void> Want();

  // At hand for as long as what is given lives.
  TokenPtr Lend(const std::string& credential, std::string_view token);
  // Null: it is not at hand.
  TokenPtr Find(const std::string& credential) const;

  std::size_t size() const;

 private:
  const std::shared_ptr<std::atomic<int>> wanting_;
  const std::shared_ptr<Token::Shelf> shelf_;
};

}  // namespace switchyard
