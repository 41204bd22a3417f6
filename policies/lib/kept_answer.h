// A result that may be given to more than one call: kept as the text that came, read when it is
// first given, and then copied whole. Shared by who keeps it and who is about to give it;
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mcp/message.h"

namespace switchyard::policies {

class KeptAnswer {
  struct Private {};

 public:
  // What the client reads of it, in `_meta` of the result.
  static constexpr std::string_view kMetaKey = "switchyard/cache";

  // `result` is a kResult that Plain() has seen. Null: its `_meta` is no object, so there is no
  // place to say anything, or Plain() could not read it.
  static std::shared_ptr<const KeptAnswer> Of(const mcp::Message& result);
  KeptAnswer(Private /*use Of()*/, std::string_view as_came)
      : bytes_(as_came.size()), as_came_(as_came) {}

  // The answer to the call with this id. What it says of how long it may be kept (`ttlMs`) is less
  // by its age. What `_meta` said of the call that it came for is left out: how many attempts it
  // took, what is left of the budget that paid for it.
  mcp::Message Give(std::string_view raw_id, std::string_view status, Duration age) const;

  std::size_t bytes() const { return bytes_; }

 private:
  struct Ready {
    mcp::Message message = {};  // with a member kMetaKey
    mcp::Span told = {};        // the value of that member
    std::optional<std::uint64_t> ttl_ms = std::nullopt;
  };

  const Ready& Prepared() const;

  const std::size_t bytes_;
  mutable std::once_flag prepared_;
  mutable std::string as_came_;  // until it is prepared
  mutable Ready ready_;          // from then on
};

// Says in a result that the cache had none. It has an object as its `_meta`, or none.
void NoteMiss(mcp::Message& result);

// A member of a result that must be a whole number; nullopt when it is none.
std::optional<std::uint64_t> WholeNumber(std::string_view raw);

// The message with its edits carried out (but of the id), so that all of its members can be read.
mcp::Message Plain(mcp::Message message);

}  // namespace switchyard::policies
