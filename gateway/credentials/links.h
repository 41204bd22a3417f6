// The links by which people connect accounts: who was offered which, and how far they got. A link
// is for one caller, one server and one use; whoever presses the button first has it for their
// browser alone.
//
// Its token is 128 random bits and nothing else: what it stands for is kept here, since that it is
// used once has to be kept anyway. In memory: a restart ends all links, and the next call offers
// another one. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/principal.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/client.h"

namespace switchyard::credentials {

// Whose connection: of a caller by what proved it, or of the gateway itself (all empty).
struct Whose {
  std::string issuer = {}, subject = {};

  static Whose Of(const Principal& caller) {
    return {.issuer = caller.issuer, .subject = caller.subject};
  }
  bool own() const { return subject.empty(); }
  auto operator<=>(const Whose&) const = default;
};

// A browser that was sent to sign in; see login_flow.h.
struct SignIn {
  oauth::Attempt sent = {};
  std::string browser = {};
};

struct Offer {
  std::string token;
  std::string server;
  Whose whose;
  std::vector<std::string> scopes = {};  // that are needed, beyond the usual ones
  TimePoint made, until;
  std::string browser = {};                    // which one has it; "" = none yet
  std::optional<oauth::Attempt> attempt = {};  // what it was sent away with last
  oauth::Client client = {};                   // as whom
  std::optional<SignIn> sign_in = {};          // the last one
  bool proven = false;                         // that the browser is the caller's
  bool mistaken = false;                       // somebody else signed in
};

class Links {
 public:
  static constexpr Duration kLife = std::chrono::minutes(15);     // without being asked for again
  static constexpr Duration kLongest = std::chrono::minutes(60);  // whatever happens
  static constexpr std::size_t kMost = 10'000;                    // then the oldest goes

  explicit Links(const Clock& clock) : clock_(clock) {}

  // How browsers reach the gateway, without a path; "" = they do not.
  void SetBase(std::string base) { base_ = std::move(base); }
  const std::string& base() const { return base_; }

  // The URL to open. While one of this caller is open it is that: who asks again while somebody
  // is at it gets no second one.
  std::string UrlFor(const std::string& server, const Whose& whose,
                     const std::vector<std::string>& scopes);

  // Null: there is none, or it is over. Good until the next call of anything here.
  Offer* Find(std::string_view token);
  Offer* ByState(std::string_view state);
  Offer* BySignIn(std::string_view state);
  void Drop(std::string_view token);
  void DropOf(const std::string& server, const Whose& whose);
  std::size_t size() const { return offers_.size(); }

 private:
  void Sweep();

  const Clock& clock_;
  std::string base_;
  std::map<std::string, Offer, std::less<>> offers_;              // by token
  std::map<std::pair<std::string, Whose>, std::string> current_;  // tokens
};

}  // namespace switchyard::credentials
