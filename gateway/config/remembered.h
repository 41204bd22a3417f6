// An environment that remembers what it was asked, so that parts of a document can be read again
// after the file was: with the same answers, and without a look at the world. Asked by one thread
// until Close(), by any afterwards.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/environment.h"
#include "config/hide.h"

namespace switchyard::config {

class Remembered final : public Environment {
 public:
  // `source` is borrowed until Close().
  explicit Remembered(const Environment& source) : source_(&source) {}

  std::optional<std::string> Get(const std::string& name) const override;
  std::expected<std::string, std::string> ReadFile(const std::string& path) const override;

  // The text without what was asked for: nobody who reads a message is to learn it.
  std::string Hide(std::string_view text, Text kind = Text::kSentence) const;

  // From now on only what was asked before is known.
  void Close() { source_ = nullptr; }

 private:
  const Environment* source_;
  mutable std::map<std::string, std::optional<std::string>> variables_;
  mutable std::map<std::string, std::expected<std::string, std::string>> files_;
};

}  // namespace switchyard::config
