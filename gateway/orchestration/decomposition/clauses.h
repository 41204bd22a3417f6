// Clauses of prose, for split.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::orchestration {

struct Clauses {
  std::vector<std::string> texts = {};
  bool ordered = false;         // each comes after the one before it
  bool by_connectives = false;  // words said so; else they are sentences
};
// One clause, or none: there is nothing to split at.
Clauses ClausesOf(std::string_view text);

std::string_view Trimmed(std::string_view text);

}  // namespace switchyard::orchestration
