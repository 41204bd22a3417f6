// A log as anybody may have changed it. The text is read line by line:
// - a line that is read as a record names a number, a time, an event and two hashes;
// - what the verifier takes is a chain: numbers one after the other, each with the hash that it
//   names;
// - a record that is put behind what was taken is taken, and one with any byte changed is not;
// - times that are read come out again as they went in.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "audit/body.h"
#include "audit/chain.h"
#include "audit/query.h"
#include "audit/record.h"
#include "audit/verify.h"
#include "fuzz/require.h"

namespace {

using namespace switchyard;
using fuzz::Require;

void CheckRecord(std::string_view line) {
  audit::RecordReader reader;
  const auto record = reader.Read(line);
  if (!record) return Require(!record.error().empty(), "a reason is given");
  Require(record->seq > 0 && !record->time.empty() && !record->event.empty(), "it says what it is");
  Require(record->previous.size() == 64 && record->hash.size() == 64, "it names two hashes");
  Require(audit::Filter{}.Matches(*record), "a filter of nothing lets everything pass");
  if (const auto time = audit::ParseTime(record->time)) {
    Require(audit::ParseTime(audit::TimeText(*time)) == time, "a time is written as it is read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  audit::Verifier verifier({});
  audit::Head head;
  bool whole = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    CheckRecord(line);
    if (whole && verifier.Feed(line)) whole = false;
    if (!whole) continue;
    const auto& summary = verifier.summary();
    Require(summary.last_hash == audit::TrueHash(audit::Hasher(), line), "a record has its hash");
    Require(summary.last_seq == summary.first_seq + summary.records - 1, "no number is missing");
    head = {.seq = summary.last_seq, .hash = summary.last_hash};
  }
  if (!whole || head.seq == 0 || head.seq == UINT64_MAX) return 0;
  const audit::WallTime time{};
  std::string next = audit::Link(audit::Hasher(), head, audit::OwnBody(time, "call").text());
  audit::Verifier other = audit::Verifier({});
  std::string changed = next;
  changed[size % changed.size()] ^= 1;
  Require(!verifier.Feed(next), "what follows is taken");
  Require(other.Feed(changed).has_value(), "what was changed is not");
  return 0;
}
