// Batches, against another JSON reader: an array of one to kMaxBatch values is cut into exactly
// these, and nothing else is.
#include <algorithm>
#include <cmath>
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

// Boost.JSON rounds the last digit of a long number by what happens to stand around it.
bool AreSame(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double()) {
    const double x = a.as_double(), y = b.as_double();
    return std::abs(x - y) <= std::abs(x) * 1e-12 || json::serialize(a) == json::serialize(b);
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) {
    return std::ranges::equal(a.as_array(), b.as_array(), AreSame);
  }
  if (!a.is_object()) return a == b;
  return std::ranges::equal(a.as_object(), b.as_object(), [](const auto& x, const auto& y) {
    return x.key() == y.key() && AreSame(x.value(), y.value());
  });
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
    Require(!problem && AreSame(element, (*array)[i]), "and exactly these");
  }
  return 0;
}
