// The pages on which a person connects an account, as HTML: short, without a script, a style or a
// picture, the same words for eyes and for screen readers. Whatever comes from elsewhere is
// escaped; no page can be framed, and none says to another site where its visitor came from. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/page.h"

namespace switchyard::admin {

struct ConnectFacts {
  std::string server = {}, url = {};  // of the MCP server
  // Who made the call; "" = the gateway itself.
  std::string caller = {}, caller_issuer = {};
  std::string issuer = {};   // of the authorization server
  std::string sign_in = {};  // the origin of the page to sign in at; "" = the issuer's own
  std::vector<std::string> scopes = {};
  bool proven = false;  // the visitor is the caller
};

// Before anything of the link is shown but its server: with the button to sign in at `issuer`.
Page ConnectLoginPage(std::string_view server, std::string_view issuer, std::string_view action,
                      std::string_view proof);

// With the button. `action`: where it leads; `proof`: what is to come along.
Page ConnectAskPage(const ConnectFacts& facts, std::string_view action, std::string_view proof);
// Sends the browser on. Not by a redirect: what a form may lead to is said by the policy of its
// page, and nobody knows all the addresses on the way.
Page ConnectGoPage(std::string_view url, std::string_view title = "Sign in there");
Page ConnectDonePage(const ConnectFacts& facts);
Page ConnectProblemPage(int status, std::string_view what);

// Of a Cookie header. "" = there is none, or there are several, which somebody else may have set.
std::string CookieIn(std::string_view header, std::string_view name);

}  // namespace switchyard::admin
