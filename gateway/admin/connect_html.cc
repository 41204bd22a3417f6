#include "admin/connect_html.h"

#include <algorithm>
#include <utility>

namespace switchyard::admin {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

Page Html(int status, std::string_view title, std::string body, std::string head = {}) {
  std::string text = R"(<!doctype html><html lang="en"><head><meta charset="utf-8">)"
                     R"(<meta name="viewport" content="width=device-width">)"
                     R"(<meta name="color-scheme" content="light dark"><meta name="robots" )"
                     R"(content="noindex">)";
  text.append(head).append("<title>").append(Escaped(title)).append("</title></head><body><main>");
  text.append("<h1>").append(Escaped(title)).append("</h1>").append(body);
  text.append("</main></body></html>\n");
  return {.status = status,
          .content_type = "text/html; charset=utf-8",
          .body = std::move(text),
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; form-action 'self'; frame-ancestors 'none'; "
                       "base-uri 'none'"},
                      {"Cache-Control", "no-store"},
                      // Not no-referrer: browsers then hide the Origin of the form, too.
                      {"Referrer-Policy", "same-origin"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"X-Frame-Options", "DENY"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}}};
}

std::string Row(std::string_view name, std::string_view value) {
  return "<dt>" + std::string(name) + "</dt><dd>" + Escaped(value) + "</dd>";
}

std::string FactsOf(const ConnectFacts& facts) {
  std::string list = "<dl>" + Row("Server", facts.server + " (" + facts.url + ")");
  list += Row("Where you sign in",
              facts.issuer + (facts.sign_in.empty() ? "" : ", at " + facts.sign_in));
  std::string scopes;
  for (const std::string& scope : facts.scopes) scopes += (scopes.empty() ? "" : ", ") + scope;
  list += Row("What is asked for", scopes.empty() ? "what it gives by default" : scopes);
  list += Row("For", facts.caller.empty() ? "the gateway itself, so all of its users"
                                          : facts.caller + " of " + facts.caller_issuer);
  return list + "</dl>";
}

std::string Button(std::string_view action, std::string_view proof, std::string_view text) {
  return R"(<form method="post" action=")" + Escaped(action) +
         R"("><input type="hidden" name="proof" value=")" + Escaped(proof) +
         R"("><button type="submit">)" + std::string(text) + "</button></form>";
}

// To whom the page is, and to whom it is not.
std::string WarningOf(const ConnectFacts& facts) {
  if (facts.caller.empty()) return "Go on only if you run this gateway.";
  if (facts.proven) return "Go on only if you asked for this yourself.";
  return "Go on only if you are " + Escaped(facts.caller) + " and asked for this yourself.";
}

}  // namespace

Page ConnectLoginPage(std::string_view server, std::string_view issuer, std::string_view action,
                      std::string_view proof) {
  std::string body =
      "<p>A call through this gateway needs an account at a server. It is to be seen first that "
      "the "
      "call was yours: sign in at " +
      Escaped(issuer) + " as you are known to the client that made it.</p>";
  body += Button(action, proof, "Sign in") + "<p>If you made no such call, close this page.</p>";
  return Html(200, "Connect an account to " + std::string(server), std::move(body));
}

Page ConnectAskPage(const ConnectFacts& facts, std::string_view action, std::string_view proof) {
  std::string body = "<p>A call through this gateway needs an account at a server.</p>";
  body += FactsOf(facts);
  body += "<p><strong>" + WarningOf(facts) + "</strong>";
  if (!facts.proven) body += " Whoever sent you this link otherwise would use your account.";
  body +=
      "</p>" + Button(action, proof, "Connect my account") + "<p>To refuse, close this page.</p>";
  return Html(200, "Connect an account to " + facts.server, std::move(body));
}

Page ConnectGoPage(std::string_view url, std::string_view title) {
  const std::string to = Escaped(url);
  return Html(200, title, "<p><a href=\"" + to + "\">Go on</a> if nothing happens.</p>",
              R"(<meta http-equiv="refresh" content="0;url=)" + to + R"(">)");
}

Page ConnectDonePage(const ConnectFacts& facts) {
  return Html(200, "Connected",
              "<p>The account is connected. You can close this page: the call goes on, or can be "
              "made again.</p>" +
                  FactsOf(facts));
}

Page ConnectProblemPage(int status, std::string_view what) {
  return Html(status, "Not connected", "<p>" + Escaped(what) + "</p>");
}

std::string CookieIn(std::string_view header, std::string_view name) {
  std::string value;
  while (!header.empty()) {
    std::string_view one = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(header.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (!one.starts_with(name) || one.substr(name.size(), 1) != "=") continue;
    if (!value.empty()) return "";
    value = one.substr(name.size() + 1);
  }
  return value;
}

}  // namespace switchyard::admin
