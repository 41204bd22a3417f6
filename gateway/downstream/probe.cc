#include "downstream/probe.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include "downstream/compose.h"
#include "downstream/legacy_convert.h"
#include "mcp/error_map.h"
#include "mcp/meta.h"

namespace switchyard::downstream {
namespace {

std::vector<mcp::Version> KnownVersions(const boost::json::value* list) {
  std::vector<mcp::Version> versions;
  if (list == nullptr || !list->is_array()) return versions;
  for (const boost::json::value& item : list->as_array()) {
    if (!item.is_string()) continue;
    if (const auto known = mcp::ParseVersion(item.as_string())) versions.push_back(*known);
  }
  return versions;
}

std::vector<mcp::Version> VersionsIn(std::string_view raw_array) {
  boost::system::error_code error;
  const boost::json::value list = boost::json::parse(raw_array, error);
  return error ? std::vector<mcp::Version>() : KnownVersions(&list);
}

// `data.supported` of an error object.
std::vector<mcp::Version> SupportedIn(std::string_view raw_error) {
  boost::system::error_code failed;
  const boost::json::value error = boost::json::parse(raw_error, failed);
  if (failed || !error.is_object()) return {};
  const boost::json::value* data = error.as_object().if_contains("data");
  if (data == nullptr || !data->is_object()) return {};
  return KnownVersions(data->as_object().if_contains("supported"));
}

bool AnyModern(const std::vector<mcp::Version>& versions) {
  return std::ranges::any_of(versions, mcp::IsModern);
}

std::string_view OrEmptyObject(std::string_view raw) { return raw.empty() ? "{}" : raw; }

std::string Shown(const mcp::Message& answer) { return std::string(answer.error().substr(0, 300)); }

}  // namespace

std::unexpected<Error> Prober::Refuse(std::string text) const {
  return Failure(Code::kProtocol, Origin::kServer,
                 "server " + channel_.server() + ": " + std::move(text));
}

Task<Result<Link>> Prober::Establish() {
  const Deadline deadline = Deadline::In(channel_.deps().clock, settings_.start_timeout);
  Result<void> started = co_await channel_.transport().Start();
  if (!started) co_return Failure(std::move(started.error()));
  Result<Link> link;
  if (settings_.era == config::Era::kAuto) {
    link = co_await Auto(deadline);
  } else if (settings_.era == config::Era::kLegacy) {
    link = co_await Initialize(deadline);
  } else {
    Finding found = co_await Discover(deadline);
    if (found.verdict == Verdict::kModern) co_return std::move(found.link);
    if (found.verdict == Verdict::kUnknown) co_return Failure(std::move(found.error));
    co_return Refuse("does not speak " + std::string(mcp::ToString(mcp::kModern)) +
                     ", and its configuration says era: modern");
  }
  co_return link;
}

Task<Result<Link>> Prober::Auto(Deadline deadline) {
  if (last_ == Verdict::kLegacy) {
    Result<Link> again = co_await Initialize(deadline);
    if (again || again.error().code != Code::kProtocol) co_return again;
    spdlog::info("server {}: no longer takes initialize, looking again", channel_.server());
  }
  last_.reset();
  Finding found = co_await Discover(deadline);
  if (found.verdict == Verdict::kUnknown) co_return Failure(std::move(found.error));
  if (found.verdict == Verdict::kModern) {
    last_ = Verdict::kModern;
    co_return std::move(found.link);
  }
  if (found.died) {
    Result<void> started = co_await channel_.transport().Start();
    if (!started) co_return Failure(std::move(started.error()));
  }
  Result<Link> link = co_await Initialize(deadline);
  if (link) last_ = Verdict::kLegacy;
  co_return link;
}

Task<Prober::Finding> Prober::Discover(Deadline deadline) {
  const std::string_view method = mcp::Info(mcp::Method::kDiscover).name;
  const std::string params =
      R"({"_meta":)" + mcp::ModernRequestMeta({.client_info = GatewayInfo()}, "") + "}";
  const std::string headers =
      VersionHeader(mcp::kModern) + "Mcp-Method: " + std::string(method) + "\r\n";
  if (!http()) {
    deadline.ShrinkTo(Deadline::In(channel_.deps().clock, settings_.discover_timeout));
  }
  HttpFacts facts;
  Result<mcp::Message> answer = co_await channel_.Ask({.method = method,
                                                       .params = params,
                                                       .headers = headers,
                                                       .deadline = deadline,
                                                       .facts = &facts});
  co_return ReadDiscover(std::move(answer), facts);
}

Prober::Finding Prober::ReadDiscover(Result<mcp::Message> answer, const HttpFacts& facts) const {
  if (!answer) {
    Error& error = answer.error();
    if (!http()) {
      // Nothing, or no JSON-RPC (an error that is a mere text), to a method that is new to it.
      const bool puzzled = error.code == Code::kDeadline || error.code == Code::kProtocol;
      if (puzzled) return {.verdict = Verdict::kLegacy};
      if (error.code == Code::kUnavailable) return {.verdict = Verdict::kLegacy, .died = true};
      return {.error = std::move(error)};
    }
    constexpr std::array kSilentOnEra = {401, 403, 408, 429};
    const bool refused = facts.status >= 400 && facts.status < 500 &&
                         std::ranges::find(kSilentOnEra, facts.status) == kSilentOnEra.end();
    if (refused) return {.verdict = Verdict::kLegacy};
    return {.error = std::move(error)};
  }
  if (answer->kind() == mcp::Kind::kError) return ReadDiscoverError(*answer, facts);
  if (!AnyModern(VersionsIn(answer->Get(mcp::Key::kSupportedVersions)))) {
    return {.verdict = Verdict::kLegacy};
  }
  Finding found{.verdict = Verdict::kModern};
  ServerFacts& server = found.link.facts;
  server.version = mcp::kModern;
  server.capabilities = OrEmptyObject(answer->Get(mcp::Key::kCapabilities));
  server.instructions = answer->GetString(mcp::Key::kInstructions);
  server.info = answer->Get(mcp::MetaKey::kServerInfo);
  // Early servers put it into the body.
  if (server.info.empty()) server.info = answer->Get(mcp::Key::kServerInfo);
  return found;
}

Prober::Finding Prober::ReadDiscoverError(const mcp::Message& answer,
                                          const HttpFacts& facts) const {
  const int code = answer.error_code();
  if (facts.status >= 500) {
    return {.error = Refuse("HTTP " + std::to_string(facts.status) + ": " + Shown(answer)).error()};
  }
  if (code == mcp::kUnsupportedVersion) {
    const std::vector<mcp::Version> supported = SupportedIn(answer.error());
    if (!supported.empty() && !AnyModern(supported)) return {.verdict = Verdict::kLegacy};
    return {.error = Refuse("speaks none of our versions: " + Shown(answer)).error()};
  }
  if (code == mcp::kHeaderMismatch || code == mcp::kMissingCapability) {
    return {.error = Refuse("server/discover: " + Shown(answer)).error()};
  }
  return {.verdict = Verdict::kLegacy};
}

Task<Result<mcp::Message>> Prober::AskInitialize(mcp::Version version, Deadline deadline,
                                                 HttpFacts& facts) {
  std::string params = R"({"protocolVersion":)" + mcp::Quote(mcp::ToString(version)) +
                       R"(,"capabilities":)" + settings_.declares.ToLegacy() + R"(,"clientInfo":)";
  params.append(GatewayInfo()).append("}");
  Result<mcp::Message> answer =
      co_await channel_.Ask({.method = mcp::Info(mcp::Method::kInitialize).name,
                             .params = params,
                             .deadline = deadline,
                             .facts = &facts});
  co_return answer;
}

// 400, 404 and 405 to initialize: an HTTP endpoint, but none of Streamable HTTP. Servers of
// 2024-11-05 open a stream at the same URL instead. False: this is no such answer.
Task<Result<bool>> Prober::FallBack(Result<mcp::Message>& answer, const HttpFacts& facts) {
  const bool refused = facts.status == 400 || facts.status == 404 || facts.status == 405;
  if (!refused || (answer && answer->kind() != mcp::Kind::kError)) co_return false;
  Result<void> older = co_await channel_.transport().FallBack();
  if (older) co_return true;
  if (answer) co_return false;
  co_return Refuse(
      "initialize: HTTP " + std::to_string(facts.status) +
      "; this is no Streamable HTTP endpoint, nor one of HTTP+SSE: " + older.error().message);
}

Task<Result<Link>> Prober::Initialize(Deadline deadline) {
  bool lost = false;
  Result<Link> link = co_await ShakeHands(deadline, lost);
  if (lost) link = co_await ShakeHands(deadline, lost);
  co_return link;
}

// `lost`: the session ended between its first two messages, though the server is there.
Task<Result<Link>> Prober::ShakeHands(Deadline deadline, bool& lost) {
  lost = false;
  HttpFacts facts;
  Result<mcp::Message> answer = co_await AskInitialize(mcp::kNewestLegacy, deadline, facts);
  if (answer && answer->kind() == mcp::Kind::kError) {
    // Some refuse what they do not know instead of offering what they do.
    std::vector<mcp::Version> supported = SupportedIn(answer->error());
    std::erase_if(supported, [](mcp::Version v) { return v >= mcp::kNewestLegacy; });
    if (!supported.empty()) {
      facts = {};
      answer = co_await AskInitialize(std::ranges::max(supported), deadline, facts);
    }
  }
  Result<bool> older = co_await FallBack(answer, facts);
  if (!older) co_return Failure(std::move(older.error()));
  if (*older) {
    facts = {};
    answer = co_await AskInitialize(mcp::kNewestLegacy, deadline, facts);
  }
  if (!answer) co_return Failure(std::move(answer.error()));
  if (answer->kind() == mcp::Kind::kError) co_return Refuse("initialize: " + Shown(*answer));

  const std::string offered = answer->GetString(mcp::Key::kProtocolVersion);
  const std::optional<mcp::Version> version = mcp::ParseVersion(offered);
  if (!version || mcp::IsModern(*version)) {
    co_return Refuse("initialize: offers version " + mcp::Quote(offered.substr(0, 40)));
  }
  Link link;
  link.facts.version = *version;
  link.facts.capabilities = ModernCapabilities(OrEmptyObject(answer->Get(mcp::Key::kCapabilities)));
  link.facts.instructions = answer->GetString(mcp::Key::kInstructions);
  link.facts.info = answer->Get(mcp::Key::kServerInfo);
  link.session_id = facts.session_id;
  link.home_only = !http();
  const std::string headers = LegacyHeaders(link);
  Result<void> told = co_await channel_.Tell(mcp::Info(mcp::Method::kInitialized).name, "", headers,
                                             deadline, &facts);
  lost = !told && facts.status == 404 && !link.session_id.empty();
  if (!told) co_return Failure(std::move(told.error()));
  co_return link;
}

}  // namespace switchyard::downstream
