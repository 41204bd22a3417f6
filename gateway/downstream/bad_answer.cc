#include "downstream/bad_answer.h"

#include <utility>

namespace switchyard::downstream {

namespace {

constexpr std::size_t kShown = 256;

}  // namespace

Error BadAnswer(std::string message, std::string_view shown) {
  return Error{.code = Code::kProtocol,
               .origin = Origin::kServer,
               .message = std::move(message),
               .detail = std::string(shown.substr(0, kShown))};
}

Error NotJsonRpc(const Error& why, std::string_view shown) {
  return BadAnswer("answer is not JSON-RPC: " + why.message, shown);
}

}  // namespace switchyard::downstream
