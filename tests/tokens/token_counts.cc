// token_counts VOCABULARY PATTERN: reads JSON strings, one a line, and writes how many tokens each
// is. PATTERN `estimate` needs no vocabulary. For the tests here, which ask others the same.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "mcp/json_string.h"
#include "policies/lib/byte_pair.h"
#include "policies/lib/token_count.h"
#include "policies/lib/vocabulary_file.h"

int main(int argc, char** argv) {
  using namespace switchyard;
  if (argc != 3) return 2;
  std::shared_ptr<const TokenCounter> counter = EstimatedTokens();
  if (const auto pattern = TokenPatternOf(argv[2])) {
    auto read = VocabularyFile(argv[1], *pattern);
    if (!read) {
      std::cerr << read.error().message << "\n";
      return 1;
    }
    counter = *read;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << counter->Count(mcp::Unquote(line).value_or("")) << "\n";
  }
  return 0;
}
