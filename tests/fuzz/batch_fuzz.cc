// Batches, against another JSON reader: an array of one to kMaxBatch values is cut into exactly
// these, and nothing else is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "edge/batch.h"
#include "fuzz/require.h"
#include "mcp/error_map.h"
#include "mcp/message.h"

namespace {

using namespace switchyard;
using fuzz::Require;
namespace json = boost::json;

json::value Read(const std::string& text, boost::system::error_code& problem) {
  return json::parse(text, problem, {}, {.max_depth = mcp::Message::kMaxDepth});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const Result<std::vector<std::string>> elements = edge::SplitBatch(body);
  if (elements) {
    Require(edge::IsBatch(body), "only what looks like a batch is one");
    Require(!elements->empty() && elements->size() <= edge::kMaxBatch, "within the bounds");
  } else {
    const int code = elements.error().rpc_code;
    Require(code == mcp::kParseError || code == mcp::kInvalidRequest, "an error says which");
  }
  boost::system::error_code problem;
  const json::value whole = Read(body, problem);
  if (problem) return 0;  // its limits and its surrogates are its own, see message_fuzz.cc
  const json::array* array = whole.if_array();
  const bool batch = array != nullptr && !array->empty() && array->size() <= edge::kMaxBatch;
  if (!elements) {
    Require(!batch || elements.error().message == "nested too deeply", "a batch is cut");
    return 0;
  }
  Require(batch && array->size() == elements->size(), "into as many as there are");
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const json::value element = Read((*elements)[i], problem);
    // As text: 0e999 is no number that equals itself.
    Require(!problem && json::serialize(element) == json::serialize((*array)[i]),
            "and exactly these");
  }
  return 0;
}
