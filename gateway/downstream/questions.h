// The words of a question: what a legacy server sends as a request, a modern client reads as an
// entry of `inputRequests`, and answers with a bare result. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "mcp/message.h"

namespace switchyard::downstream {

// Who asks, for the person who reads it: behind a gateway a client sees only the gateway.
struct Asker {
  std::string_view server;
  bool verbatim = false;  // the endpoint is transparent: it fronts this server alone
};

// The params of a question as a client may read them: elicitation with a mode and the server's name
// before its message, URL elicitation without the id that only legacy knows, sampling without the
// context of other servers. `from_legacy` also takes out what has no modern form.
boost::json::object ParamsForClient(mcp::Method method, boost::json::object params, Asker asker,
                                    bool from_legacy);

// {"method":...,"params":...}, an entry of `inputRequests`.
std::string InputRequest(mcp::Method method, const boost::json::object& params);

// As deep as anything that passes here may be; nullopt: no JSON, or deeper.
std::optional<boost::json::value> ParseDeep(std::string_view raw);

// Whether `answer` is a result of `method`: ElicitResult, CreateMessageResult, ListRootsResult.
bool IsAnswer(mcp::Method method, const boost::json::value& answer);

// What a legacy server gets when no answer of a client can be had.
mcp::Message NotOffered(std::string_view raw_id, mcp::Method method);  // by this call's client
mcp::Message NotAttributable(std::string_view raw_id);                 // to any call
mcp::Message NoAnswer(std::string_view raw_id, mcp::Method method);    // the client is gone

}  // namespace switchyard::downstream
