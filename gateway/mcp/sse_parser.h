// Server-Sent Events, the reading side: bytes in, events out, by the rules of the WHATWG HTML
// standard ("Interpreting an event stream"). No I/O; one reader at a time.
//
// An event's data is copied once, from the fed bytes into the string that the event hands over.
// What is kept between feeds is bounded by `max_event_bytes`; an unfinished event at the end of the
// stream is dropped, as the standard wants it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::mcp {

struct SseEvent {
  std::string event;  // "" = message
  std::string data;
  std::string id;                    // given in this very event; "" = none, see last_event_id()
  std::optional<unsigned> retry_ms;  // given in this very event
};

class SseParser {
 public:
  static constexpr std::size_t kDefaultMaxEventBytes = std::size_t{64} << 20;

  explicit SseParser(std::size_t max_event_bytes = kDefaultMaxEventBytes)
      : max_event_bytes_(max_event_bytes) {}

  static constexpr std::size_t kMaxFieldBytes = 4096;  // of `event`, `id` and `retry`

  // Takes all of `bytes`. After kTooLarge (a field or an event's data above its cap) the stream is
  // of no more use: feeding again gives the same error. Events completed before stay readable.
  Result<void> Feed(std::string_view bytes);
  // The next complete event; nullopt = feed more.
  std::optional<SseEvent> Next();

  // Of all that was fed, also when they came without an event (a block without data yields none).
  const std::string& last_event_id() const { return last_id_; }
  std::optional<unsigned> retry_ms() const { return retry_ms_; }

 private:
  enum class Where : std::uint8_t { kBom, kName, kSpace, kValue };
  enum class Field : std::uint8_t { kIgnored, kData, kEvent, kId, kRetry };

  bool TakePiece(std::string_view piece);  // of one line; false = over a cap
  void TakeBom(std::string_view& piece);
  bool TakeName(std::string_view& piece);
  bool TakeValue(std::string_view piece);
  bool StartField();
  void EndLine();
  void EndEvent();

  const std::size_t max_event_bytes_;
  Where where_ = Where::kBom;
  Field field_ = Field::kIgnored;
  bool skip_lf_ = false;  // the line ended with CR: a following LF belongs to it
  bool has_data_ = false;
  bool failed_ = false;
  std::string name_;   // of the field, as far as read
  std::string value_;  // of `event`, `id` and `retry`
  std::string data_, event_, id_, last_id_;
  std::optional<unsigned> retry_ms_, event_retry_ms_;
  std::vector<SseEvent> ready_;
  std::size_t next_ready_ = 0;
};

}  // namespace switchyard::mcp
