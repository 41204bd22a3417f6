// Whether a chain of records is whole: each has the hash that it names, follows the one before it,
// and none is missing between the first and the last. What nobody can see is that the newest
// records are gone: who must know keeps the hash of a late record elsewhere and asks for it.
//
// Fed line by line, over all files of a log. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "audit/chain.h"
#include "audit/record.h"

namespace switchyard::audit {

class Verifier {
 public:
  struct Options {
    Hasher hasher = {};
    bool whole = true;      // all files that are kept are fed, oldest first
    std::string head = {};  // a hash that some record must have; "" = none
  };

  explicit Verifier(Options options) : options_(std::move(options)) {}

  // The next line, of this file or of the next. What is wrong with it; then the rest says nothing
  // any more.
  std::optional<std::string> Feed(std::string_view line);
  // What is wrong with the whole, when all lines were fine.
  std::optional<std::string> End() const;

  struct Summary {
    std::uint64_t records = 0;
    std::uint64_t first_seq = 0, last_seq = 0;
    std::string first_time, last_time;
    std::string last_hash;
    std::map<std::string, std::uint64_t> events;  // by kind; of those that are known
    bool from_the_beginning = false;              // its first record is the log's first
  };
  const Summary& summary() const { return summary_; }

 private:
  std::optional<std::string> CheckHash(std::string_view line, const Record& record);
  std::optional<std::string> CheckPlace(const Record& record) const;
  std::optional<std::string> CheckFirst(const Record& record) const;
  void Count(const Record& record);

  const Options options_;
  RecordReader reader_;
  Head head_;
  bool begun_ = false, met_head_ = false;
  std::uint64_t oldest_ = 0;  // as the last rotated record said
  std::string mac_;           // as the log said; "" = it has not yet
  Summary summary_;
};

}  // namespace switchyard::audit
