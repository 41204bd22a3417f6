#include "audit/verify.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace switchyard::audit {
namespace {

constexpr std::array<std::string_view, 13> kKnownEvents = {
    "genesis",  "opened",  "closed",   "call",    "refused", "gap",   "rotated",
    "repaired", "anomaly", "approval", "account", "pin",     "reload"};

}  // namespace

std::optional<std::string> Verifier::Feed(std::string_view line) {
  const std::expected<Record, std::string> read = reader_.Read(line);
  if (!read) return "is no record: " + read.error();
  const Record& record = *read;
  if (auto wrong = CheckHash(line, record)) return wrong;
  if (auto wrong = begun_ ? CheckPlace(record) : CheckFirst(record)) return wrong;
  Count(record);
  return std::nullopt;
}

// Before its place: where the text was changed, its number may be a lie, too.
std::optional<std::string> Verifier::CheckHash(std::string_view line, const Record& record) {
  if (!record.mac.empty()) mac_ = record.mac;
  if (TrueHash(options_.hasher, line) == record.hash) return std::nullopt;
  if (!options_.hasher.keyed() && mac_ == "hmac-sha256") {
    return "was changed, or needs the key of this log (--key-file): its hash is not that of its "
           "text";
  }
  if (options_.hasher.keyed()) {
    return "was changed, or was written with another key or none: its hash is not that of its text";
  }
  return "was changed: its hash is not that of its text";
}

std::optional<std::string> Verifier::CheckFirst(const Record& record) const {
  if (record.event == "genesis" || !options_.whole) return std::nullopt;
  if (record.event == "rotated") return std::nullopt;  // those before it may have been removed
  return fmt::format("is not how a file begins: records before number {} are missing", record.seq);
}

std::optional<std::string> Verifier::CheckPlace(const Record& record) const {
  const std::uint64_t expected = head_.seq + 1;
  if (record.seq > expected) {
    const std::string which = record.seq == expected + 1
                                  ? fmt::format("record {} is", expected)
                                  : fmt::format("records {} to {} are", expected, record.seq - 1);
    return fmt::format("is number {}: {} missing before it", record.seq, which);
  }
  if (record.seq < expected) {
    return fmt::format("is number {} where {} must follow: it was moved or put in", record.seq,
                       expected);
  }
  if (record.previous != head_.hash) {
    return "does not follow from the record before it: one of them was replaced";
  }
  if (record.event == "genesis") return "begins a log in the middle of another";
  return std::nullopt;
}

void Verifier::Count(const Record& record) {
  if (!begun_) {
    summary_.first_seq = record.seq;
    summary_.first_time = record.time;
    summary_.from_the_beginning = record.event == "genesis";
  }
  begun_ = true;
  head_ = {.seq = record.seq, .hash = record.hash};
  if (record.event == "rotated") oldest_ = record.oldest;
  met_head_ = met_head_ || record.hash == options_.head;
  ++summary_.records;
  summary_.last_seq = record.seq;
  summary_.last_time = record.time;
  summary_.last_hash = record.hash;
  if (std::ranges::find(kKnownEvents, record.event) != kKnownEvents.end()) {
    ++summary_.events[record.event];
  }
}

std::optional<std::string> Verifier::End() const {
  if (!begun_) return "there is no record";
  if (options_.whole && oldest_ != 0 && summary_.first_seq > oldest_) {
    return fmt::format("records {} to {} are missing, which the log kept", oldest_,
                       summary_.first_seq - 1);
  }
  if (!options_.head.empty() && !met_head_) {
    return "no record has the hash " + options_.head + ": the newest ones are missing";
  }
  return std::nullopt;
}

}  // namespace switchyard::audit
