#include "mcp/error_map.h"

#include <string>
#include <utility>

#include "mcp/json_string.h"

namespace switchyard::mcp {
namespace {

// A server's trouble is not the client's: the client's request was neither too large nor without
// rights, and a relayed 401 would send it to the server's authorization server.
bool IsClientsOwn(const Error& error) { return error.origin != Origin::kServer; }

std::string DescribeError(const Error& error) {
  std::string data = R"({"origin":")";
  data.append(ToString(error.origin)).append(R"(","code":")").append(ToString(error.code));
  data.append(R"(","retryable":)").append(error.retryable ? "true" : "false").append("}");
  return data;
}

// Here and no earlier: messages are logged, and the address is for the caller alone.
std::string WordsOf(const Error& error) {
  if (error.visit.empty()) return error.message;
  return error.message +
         ". The user has to open this page in a browser, and the call is to be made again then: " +
         error.visit;
}

bool IsDefinedByModern(int code) { return code == kMissingCapability; }

}  // namespace

int RpcCode(const Error& error) {
  if (error.rpc_code != 0) return error.rpc_code;
  switch (error.code) {
    case Code::kInvalid:
    case Code::kNotFound: return kInvalidParams;
    case Code::kTooLarge:
    case Code::kUnauthenticated:
    case Code::kForbidden: return IsClientsOwn(error) ? kInvalidRequest : kInternalError;
    case Code::kRateLimited:
    case Code::kUnavailable:
    case Code::kDeadline:
    case Code::kCancelled:
    case Code::kProtocol:
    case Code::kInternal: return kInternalError;
  }
  return kInternalError;
}

int HttpStatus(const Error& error, Version client) {
  if (IsClientsOwn(error)) {
    if (error.code == Code::kTooLarge) return 413;
    if (error.code == Code::kUnauthenticated) return 401;
    if (error.code == Code::kForbidden) return 403;
  }
  return HttpStatus(RpcCode(error), client);
}

int HttpStatus(int rpc_code, Version client) {
  switch (rpc_code) {
    case kParseError:
    case kInvalidRequest: return 400;
    case kHeaderMismatch:
    case kMissingCapability:
    case kUnsupportedVersion: return IsModern(client) ? 400 : 200;
    case kMethodNotFound: return IsModern(client) ? 404 : 200;
    default: return 200;
  }
}

int RelayedStatus(int rpc_code, Version client) {
  const bool about_the_call = rpc_code == kMethodNotFound || rpc_code == kMissingCapability;
  return IsModern(client) && about_the_call ? HttpStatus(rpc_code, client) : 200;
}

int CodeForClient(int server_code, Method method, Version client) {
  const bool reads = method == Method::kResourcesRead || method == Method::kSubscribe;
  if (!IsModern(client)) {
    if (reads && server_code == kInvalidParams) return kLegacyResourceNotFound;
    if (server_code == kUrlElicitationRequired) return server_code;
  } else {
    if (server_code == kLegacyResourceNotFound) return kInvalidParams;
    if (IsDefinedByModern(server_code)) return server_code;
  }
  const bool reserved = server_code <= kHeaderMismatch && server_code >= kLastReserved;
  return reserved ? kInternalError : server_code;
}

Message ToolErrorMessage(std::string_view raw_id, const Error& error) {
  std::string result = R"({"resultType":"complete","content":[{"type":"text","text":)";
  result.append(Quote(WordsOf(error))).append(R"(}],"isError":true,"_meta":{"switchyard/error":)");
  result.append(error.data.empty() ? DescribeError(error) : error.data).append("}}");
  return Message::FromResult(raw_id, std::move(result));
}

Message ErrorMessage(std::string_view raw_id, const Error& error) {
  return Message::MakeError(raw_id, RpcCode(error), WordsOf(error),
                            error.data.empty() ? DescribeError(error) : error.data);
}

}  // namespace switchyard::mcp
