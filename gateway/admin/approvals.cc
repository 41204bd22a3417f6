#include "admin/approvals.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/crypto.h>

#include "mcp/json_string.h"

namespace switchyard::admin {
namespace {

namespace json = boost::json;
using approvals::Desk;

constexpr std::size_t kLongestBody = 16384;
constexpr std::size_t kLongestName = 64;

Page Answer(int status, std::string body) {
  Page page{.status = status, .content_type = "application/json", .body = std::move(body)};
  page.headers.emplace_back("Cache-Control", "no-store");
  return page;
}

Page Refusal(int status, std::string_view why) {
  return Answer(status, R"({"error":)" + mcp::Quote(why) + "}");
}

// By digests of one length, so that the time it takes says nothing of the token.
bool IsToken(std::string_view authorization, const Sha256Digest& token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return false;
  const Sha256Digest given = Sha256Bytes(authorization.substr(kScheme.size()));
  return CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

Page ShowAll(Desk& desk) {
  json::array all;
  for (const Desk::Shown& shown : desk.List()) {
    all.push_back(approvals::ToJson(shown.approval, shown.waiting));
  }
  return Answer(200, json::serialize(json::object{{"approvals", std::move(all)}}));
}

int StatusOf(const Error& error) {
  switch (error.code) {
    case Code::kNotFound: return 404;
    case Code::kForbidden: return 403;
    case Code::kInvalid: return 409;
    default: return 503;
  }
}

Page Decide(Desk& desk, std::string_view id, const Asked& asked) {
  if (!asked.content_type.starts_with("application/json")) {
    return Refusal(415, "Content-Type must be application/json");
  }
  Result<Decision> decision = ReadDecision(asked.body);
  if (!decision) return Refusal(400, decision.error().message);
  const std::string by = decision->by.empty() ? "operator" : "operator " + decision->by;
  const Result<Desk::Shown> shown = desk.Decide(id, decision->approve, by, decision->reason);
  if (!shown) return Refusal(StatusOf(shown.error()), shown.error().message);
  return Answer(200, json::serialize(approvals::ToJson(shown->approval, shown->waiting)));
}

Page NotThisWay(std::string_view allowed) {
  Page page = Refusal(405, "use " + std::string(allowed));
  page.headers.emplace_back("Allow", std::string(allowed));
  return page;
}

}  // namespace

std::optional<Page> Turned(const Access& access, const Asked& asked) {
  if (access.token) {
    if (IsToken(asked.authorization, *access.token)) return std::nullopt;
    Page page = Refusal(401, "send the admin token: Authorization: Bearer TOKEN");
    page.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="switchyard admin")");
    return page;
  }
  // What a proxy passes on comes from this machine whoever sent it, and a page that is shown here
  // is not the person who looks at it.
  if (access.open && !asked.from_page && !asked.forwarded) return std::nullopt;
  return Refusal(403, "the admin API needs a token here: set admin.token in the configuration");
}

Access Access::Of(std::string_view token, bool open) {
  if (token.empty()) return {.open = open};
  return {.token = Sha256Bytes(token)};
}

Result<Decision> ReadDecision(std::string_view body) {
  const auto bad = [](std::string why) {
    return Failure(Code::kInvalid, Origin::kClient, std::move(why));
  };
  if (body.size() > kLongestBody) return bad("the body is too long");
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) {
    return bad(R"(the body must be a JSON object such as {"decision":"approve"})");
  }
  Decision decision;
  bool decided = false;
  for (const auto& [key, said] : value.get_object()) {
    if (!said.is_string()) return bad(std::string(key) + " must be a text");
    const std::string text(said.get_string());
    if (key == "decision" && (text == "approve" || text == "deny")) {
      decided = true;
      decision.approve = text == "approve";
    } else if (key == "reason") {
      decision.reason = text;
    } else if (key == "by" && text.size() <= kLongestName) {
      decision.by = approvals::Readable(text, kLongestName);
    } else {
      return bad(
          "decision must be approve or deny, by a name of at most 64 bytes, and besides "
          "them there is reason");
    }
  }
  if (!decided) return bad("decision is missing: approve or deny");
  return decision;
}

std::optional<Page> ApprovalsPage(Desk& desk, const Access& access, const Asked& asked) {
  const std::string_view path = asked.path;
  if (!path.starts_with(kApprovalsPath)) return std::nullopt;
  std::string_view id = path.substr(kApprovalsPath.size());
  if (!id.empty() && id.front() != '/') return std::nullopt;
  if (!id.empty()) id.remove_prefix(1);
  if (id.find('/') != std::string_view::npos) return std::nullopt;
  if (std::optional<Page> turned = Turned(access, asked)) return turned;
  if (id.empty()) return asked.method == "GET" ? ShowAll(desk) : NotThisWay("GET");
  return asked.method == "POST" ? Decide(desk, id, asked) : NotThisWay("POST");
}

}  // namespace switchyard::admin
