#include "policies/authorize/refusal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mcp/json_string.h"

namespace switchyard::policies::authorize {
namespace {

std::string_view NameOf(const Call& call) {
  const Definition* item = call.target.definition;
  return item != nullptr ? std::string_view(item->exposed) : std::string_view(call.target.name);
}

}  // namespace

Error LacksScopes(const Call& call, const std::vector<std::string>& scopes) {
  std::string names;
  for (const std::string& scope : scopes) {
    names.append(names.empty() ? "" : ",").append(mcp::Quote(scope));
  }
  return {.code = Code::kForbidden,
          .retryable = true,  // nothing ran
          .message = fmt::format("{} needs more scopes: {}", NameOf(call), fmt::join(scopes, " ")),
          .detail = "denied for the lack of scopes",
          .data = fmt::format(R"({{"origin":"gateway","code":"forbidden","retryable":true,)"
                              R"("scopes":[{}]}})",
                              names)};
}

Error Refusal(const Call& call, const Verdict& verdict, std::string_view rule) {
  std::string_view so = "so";
  std::string_view then = "it may be allowed in another way";
  if (verdict.by_arguments && verdict.by_time) {
    so = "with these arguments at this time";
    then = "use other arguments or come at another time";
  } else if (verdict.by_arguments) {
    so = "with these arguments";
    then = "use other arguments";
  } else if (verdict.by_time) {
    so = "at this time";
    then = "come at another time";
  }
  return {.code = Code::kForbidden,
          .message = fmt::format("you may not use {} {}: {}, or ask whoever runs this gateway{}",
                                 NameOf(call), so, then,
                                 verdict.by_time ? "" : "; repeating the same call does not help"),
          .detail = fmt::format("denied by rule {}", rule),
          .data = fmt::format(R"({{"origin":"gateway","code":"forbidden","retryable":false,)"
                              R"("dependsOn":[{}{}{}]}})",
                              verdict.by_arguments ? R"("arguments")" : "",
                              verdict.by_arguments && verdict.by_time ? "," : "",
                              verdict.by_time ? R"("time")" : ""),
          .for_agent = true};
}

}  // namespace switchyard::policies::authorize
