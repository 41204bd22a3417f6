// Records as they are read again, from text that anybody may have changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/event.h"

namespace switchyard::audit {

// Longer lines are no records: with all that a call may leave behind they are shorter.
inline constexpr std::size_t kLongestLine = std::size_t{1} << 20;

struct Record {
  std::uint64_t seq = 0;
  std::string time, event, previous, hash;
  // Of calls; "" = not said.
  std::string issuer, subject, client, session, agent, acting_as;
  std::string endpoint, server, item, method;
  std::string digest, decision, rule, approval, approver, outcome, code, reason, trace;
  std::int64_t duration_us = 0;
  std::string definition, configuration, changed;  // of pins and reloads
  // Of the log's own records.
  std::string mac;           // genesis and rotated: how records are hashed
  std::uint64_t oldest = 0;  // rotated: the first record that is still kept
};

// Reads one line after the other; keeps its memory. One thread at a time.
class RecordReader {
 public:
  RecordReader();
  ~RecordReader();

  // The error says what is wrong with it, to follow "is no record: ". No hash is looked at.
  std::expected<Record, std::string> Read(std::string_view line);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// 2026-01-31, 2026-01-31T23:59Z, 2026-01-31T23:59:59.5+01:00; without an offset it is UTC.
std::optional<WallTime> ParseTime(std::string_view text);

}  // namespace switchyard::audit
