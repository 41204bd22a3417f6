#include "connect_pages.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/spdlog.h>

#include "admin/connect_html.h"
#include "auth/strict_json.h"
#include "base/token.h"
#include "credentials/oauth/form.h"
#include "mcp/json_string.h"

namespace switchyard {
namespace {

namespace json = boost::json;

using admin::Page;
using credentials::ConnectFlow;
using credentials::Whose;

constexpr std::string_view kRoot = "/connect/", kBack = "/connect/callback/",
                           kAnswer = "/connect/answer/", kDocument = "/connect/client/";
constexpr std::size_t kMostForm = 4096, kLongestQuery = 16 * 1024;

Page Problem(const Error& error) {
  const int status = error.code == Code::kNotFound    ? 404
                     : error.code == Code::kForbidden ? 403
                                                      : 503;
  return admin::ConnectProblemPage(status, error.message);
}

admin::ConnectFacts FactsOf(const ConnectFlow::Shown& shown) {
  return {.server = shown.server,
          .url = shown.url,
          .caller = shown.whose.subject,
          .caller_issuer = shown.whose.issuer,
          .issuer = shown.issuer,
          .sign_in = shown.sign_in,
          .scopes = shown.scopes,
          .proven = shown.proven};
}

Page Json(int status, std::string body) {
  return {.status = status,
          .content_type = "application/json",
          .body = std::move(body),
          .headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}}};
}

Page JsonProblem(int status, std::string_view why) {
  return Json(status, R"({"error":)" + mcp::Quote(why) + "}");
}

// One that we made: nothing else is compared with what a link is bound to.
bool IsBrowser(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Of a proof: it is good for one link in one browser.
std::string PurposeOf(const char* what, const std::string& token, const std::string& browser) {
  return std::string(what) + " " + token + " " + browser;
}
constexpr const char* kConnect = "connect";
constexpr const char* kSignIn = "sign in";

std::string TextIn(const json::object& object, std::string_view key) {
  const json::string* text = auth::StringIn(object, key);
  return text == nullptr ? std::string() : std::string(*text);
}

Page ShowAll(const CredentialKeeper& keeper) {
  json::array all;
  for (const CredentialKeeper::Connection& one : keeper.Connections()) {
    json::object shown{{"server", one.server}, {"issuer", one.issuer}};
    if (!one.whose.own()) {
      shown["caller"] = json::object{{"issuer", one.whose.issuer}, {"subject", one.whose.subject}};
    }
    all.push_back(std::move(shown));
  }
  return Json(200, json::serialize(json::object{{"connections", std::move(all)}}));
}

}  // namespace

bool ConnectPages::secure() const { return keeper_.links().base().starts_with("https://"); }

// __Host-: no other host of the same domain can set it.
std::string ConnectPages::CookieName() const {
  return secure() ? "__Host-switchyard-connect" : "switchyard-connect";
}

Task<std::optional<Page>> ConnectPages::Answer(edge::PlainRequest request, Executor worker) {
  const Box box = std::make_shared<Mailbox<std::optional<Page>>>();
  net::post(control_, [this, request = std::move(request), worker, box]() mutable {
    Spawn(control_, "connect page", Serve(std::move(request), worker, box));
  });
  std::optional<Page> page = co_await box->Take();
  co_return page;
}

Task<void> ConnectPages::Serve(edge::PlainRequest request, Executor worker, Box box) {
  std::optional<Page> page = admin::ConnectProblemPage(500, "Something went wrong here.");
  try {
    page = co_await PageFor(std::move(request));
  } catch (const std::exception& error) {  // who waits is told all the same
    spdlog::error("connect page: {}", error.what());
  }
  net::post(worker, [box = std::move(box), page = std::move(page)]() mutable {
    box->Put(std::move(page));
  });
}

Task<std::optional<Page>> ConnectPages::PageFor(edge::PlainRequest request) {
  const std::string_view path = request.path;
  if (path == kAdmin) co_return Admin(request);
  if (!path.starts_with(kRoot)) co_return std::nullopt;
  const bool get = request.method == "GET";
  const std::string cookie = admin::CookieIn(request.cookie, CookieName());
  const std::string browser = IsBrowser(cookie) ? cookie : "";
  if (path.starts_with(kDocument)) {
    std::string text = keeper_.flow().ClientDocumentOf(path.substr(kDocument.size()));
    if (!get || text.empty()) co_return std::nullopt;
    co_return Json(200, std::move(text));
  }
  if (path.starts_with(credentials::kLoginRoot)) {
    if (!get) co_return std::nullopt;
    Page page = co_await SignedIn(std::move(request), browser);
    co_return page;
  }
  if (path.starts_with(kBack) || path.starts_with(kAnswer)) {
    if (!get) co_return std::nullopt;
    Page page = co_await Finish(std::move(request), browser);
    co_return page;
  }
  std::string token(path.substr(kRoot.size()));
  if (get) {
    Page page = co_await Ask(std::move(token), browser);
    co_return page;
  }
  Page page = co_await Begin(std::move(request), std::move(token), browser);
  co_return page;
}

void ConnectPages::SetCookie(Page& page, const std::string& browser) const {
  // Lax: it has to come along when the authorization server sends the browser back.
  page.headers.emplace_back("Set-Cookie", CookieName() + "=" + browser +
                                              "; Path=/; Max-Age=3600; HttpOnly; " +
                                              "SameSite=Lax" + (secure() ? "; Secure" : ""));
}

Task<Page> ConnectPages::Ask(std::string token, std::string browser) {
  const bool fresh = browser.empty();
  if (fresh) browser = RandomToken();
  if (const auto asked = keeper_.login().Look(token)) {
    Page page =
        admin::ConnectLoginPage(asked->server, asked->issuer, std::string(kRoot) + token,
                                proofs_.Seal(PurposeOf(kSignIn, token, browser), asked->issuer));
    if (fresh) SetCookie(page, browser);
    co_return page;
  }
  const Result<ConnectFlow::Shown> shown = co_await keeper_.flow().Look(token, browser);
  if (!shown) co_return Problem(shown.error());
  Page page = admin::ConnectAskPage(
      FactsOf(*shown), std::string(kRoot) + token,
      proofs_.Seal(PurposeOf(kConnect, token, browser), ConnectFlow::TermsOf(*shown)));
  if (fresh) SetCookie(page, browser);
  co_return page;
}

Task<Page> ConnectPages::Begin(edge::PlainRequest request, std::string token, std::string browser) {
  const bool form = request.content_type.starts_with("application/x-www-form-urlencoded") &&
                    request.body.size() <= kMostForm;
  const auto fields = form ? credentials::oauth::ReadForm(request.body) : std::nullopt;
  const auto proof = fields ? credentials::oauth::Find(*fields, "proof") : std::nullopt;
  const bool proves = proof && !browser.empty();
  if (proves && proofs_.Open(PurposeOf(kSignIn, token, browser), *proof)) {
    // It may have been done meanwhile, on another page of this browser, or be asked for no more.
    if (!keeper_.login().Look(token)) {
      Page next = co_await Ask(std::move(token), std::move(browser));
      co_return next;
    }
    const Result<std::string> url = co_await keeper_.login().Begin(token, browser);
    if (!url) co_return Problem(url.error());
    co_return admin::ConnectGoPage(*url);
  }
  const auto terms =
      proves ? proofs_.Open(PurposeOf(kConnect, token, browser), *proof) : std::nullopt;
  if (!terms) {
    co_return admin::ConnectProblemPage(
        403,
        "This did not come from the page with the button, or your browser keeps no cookies. "
        "Open the link again.");
  }
  const Result<std::optional<std::string>> url =
      co_await keeper_.flow().Begin(token, browser, *terms);
  if (!url) co_return Problem(url.error());
  if (*url) co_return admin::ConnectGoPage(**url);
  Page again = co_await Ask(std::move(token), std::move(browser));
  co_return again;
}

// From there to the page of the link, without what came back in its address.
Task<Page> ConnectPages::SignedIn(edge::PlainRequest request, std::string browser) {
  if (request.query.size() > kLongestQuery) {
    co_return admin::ConnectProblemPage(414, "What came back is too long.");
  }
  const Result<std::string> token = co_await keeper_.login().Finish(
      std::move(request.path), std::move(request.query), std::move(browser));
  if (!token) co_return Problem(token.error());
  co_return admin::ConnectGoPage(std::string(kRoot) + *token, "Signed in");
}

Task<Page> ConnectPages::Finish(edge::PlainRequest request, std::string browser) {
  if (request.query.size() > kLongestQuery) {
    co_return admin::ConnectProblemPage(414, "What came back is too long.");
  }
  const Result<ConnectFlow::Shown> shown =
      co_await keeper_.flow().Finish(std::move(request.path), std::move(request.query), browser);
  if (!shown) co_return Problem(shown.error());
  keeper_.Connected(*shown);
  co_return admin::ConnectDonePage(FactsOf(*shown));
}

// Who asks was looked at before (plain_pages.cc).
Page ConnectPages::Admin(const edge::PlainRequest& request) {
  if (request.method == "GET") return ShowAll(keeper_);
  if (!request.content_type.starts_with("application/json")) {
    return JsonProblem(415, "Content-Type must be application/json");
  }
  const auto body = auth::ReadObject(request.body.size() <= kMostForm ? request.body : "");
  const std::string server = body ? TextIn(*body, "server") : "";
  const std::string action = body ? TextIn(*body, "action") : "";
  if (server.empty() || (action != "connect" && action != "forget")) {
    return JsonProblem(400, R"(the body must be {"server":...,"action":"connect" or "forget"})");
  }
  if (action == "connect") {
    const std::string url = keeper_.OfferOwn(server);
    if (url.empty()) {
      return JsonProblem(404, "no server " + server +
                                  " with credentials of kind oauth, or no "
                                  "browser reaches this gateway");
    }
    return Json(200, json::serialize(json::object{{"url", url}}));
  }
  Whose whose;
  if (const json::value* caller = body->if_contains("caller")) {
    const json::object* object = caller->if_object();
    if (object != nullptr) {
      whose = {.issuer = TextIn(*object, "issuer"), .subject = TextIn(*object, "subject")};
    }
    // Not the gateway's own by mistake.
    if (whose.own()) return JsonProblem(400, "caller must have issuer and subject");
  }
  if (!keeper_.Forget(server, whose)) return JsonProblem(404, "there is no such connection");
  return Json(200, R"({"forgotten":true})");
}

}  // namespace switchyard
