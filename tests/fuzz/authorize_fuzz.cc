// A JSON pointer, a glob, and the arguments of a call: two lines, the rest.
// - a test answers the same when it is asked again, whatever the three are;
// - what it says is there, or is not, a JSON library finds there, or does not.
#include <cstddef>
#include <cstdint>
#include <string>

#include <boost/json.hpp>

#include "fuzz/require.h"
#include "policies/authorize/when.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using fuzz::Require;
  using policies::ArgumentTest;
  using policies::Holds;
  fuzz::Lines lines(data, size);
  const std::string pointer = lines.Next(), glob = lines.Next(), arguments = lines.Rest();
  const auto tokens = policies::PointerTokens(pointer);
  if (!tokens) return 0;
  const ArgumentTest like{.at = pointer, .tokens = *tokens, .globs = {glob}};
  const ArgumentTest number{.at = pointer, .tokens = *tokens, .min = -1, .max = 1};
  for (const ArgumentTest& test : {like, number}) {
    Require(test.Judge(arguments) == test.Judge(arguments), "asked again, the same");
  }
  if (pointer.find('*') != std::string::npos) return 0;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(arguments, error);
  if (error || !value.is_object()) return 0;
  const ArgumentTest there{.at = pointer, .tokens = *tokens, .present = true};
  const Holds holds = there.Judge(arguments);
  const bool found = value.find_pointer(pointer, error) != nullptr;
  Require(holds != Holds::kYes || found, "what is there is found");
  Require(holds != Holds::kNo || !found, "what is found is there");
  return 0;
}
