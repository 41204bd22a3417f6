// What of connections outlives the process.
#include <charconv>
#include <utility>

#include <spdlog/spdlog.h>

#include "credentials/connections.h"
#include "credentials/oauth/challenge.h"
#include "credentials/oauth/registration.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials {
namespace {

constexpr const char* kClient = "client";

// The line up to the next line end; "" also when there is none.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::exchange(text, {});
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string ConnectedText(const Connected& connected) {
  const bool known = !connected.client.id.empty();
  return oauth::JoinScopes(connected.asked) + "\n" + connected.resource + "\n" +
         (known ? oauth::ClientText(connected.client) : "") + "\n" +
         oauth::TokenText(connected.token);
}

std::optional<Connected> ReadConnectedText(std::string_view text) {
  Connected connected{.token = {},
                      .asked = oauth::SplitScopes(TakeLine(text)),
                      .resource = std::string(TakeLine(text))};
  const std::string client(TakeLine(text));
  std::optional<oauth::Client> known = oauth::ReadClientText(client);
  if (!client.empty() && !known) return std::nullopt;
  if (known) connected.client = std::move(*known);
  std::optional<oauth::Token> token = oauth::ReadTokenText(std::string(text));
  if (!token) return std::nullopt;
  connected.token = std::move(*token);
  return connected;
}

// With the length of the first before both: no name can pass for the border of the two.
std::string PrincipalText(const Whose& whose) {
  if (whose.own()) return "";
  return std::to_string(whose.issuer.size()) + ":" + whose.issuer + whose.subject;
}

Whose ReadPrincipalText(std::string_view text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':') return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  if (size > text.size()) return {};
  return {.issuer = std::string(text.substr(0, size)), .subject = std::string(text.substr(size))};
}

Label Connections::LabelOf(const Whose& whose, const std::string& issuer) const {
  return {
      .issuer = issuer, .principal = PrincipalText(whose), .server = server_, .kind = kConnection};
}

std::map<std::string, std::string>& Connections::Issuers() {
  auto& issuers = deps_.turns->issuers;
  if (issuers) return *issuers;
  issuers.emplace();
  for (const Label& label : deps_.vault.Labels(kConnection)) {
    if (label.server == server_) (*issuers)[label.principal] = label.issuer;
  }
  return *issuers;
}

void Connections::Load(Held& held) {
  const auto issuer = Issuers().find(PrincipalText(held.whose));
  if (issuer == Issuers().end()) return;
  const std::optional<std::string> text = deps_.vault.Get(LabelOf(held.whose, issuer->second));
  std::optional<Connected> kept = text ? ReadConnectedText(*text) : std::nullopt;
  if (!kept) return;
  kept->issuer = issuer->second;
  if (!Fits(*kept)) return;
  held.connected = std::move(*kept);
  Publish(held);
  held.got_at.reset();  // nobody knows how old it is
}

bool Connections::Fits(const Connected& connected) const {
  // What one issuer gave is of no use with another.
  if (!config_.issuer.empty() && connected.issuer != config_.issuer) return false;
  // The server may have moved since, or another one has its name: a token is for whom it was got.
  return config_.resource.empty() ? oauth::ResourceCovers(connected.resource, url_)
                                  : connected.resource == config_.resource;
}

// One that could not be saved goes before what it came from, and before nothing else.
bool Connections::IsAsKept(const Held& held) {
  const std::optional<std::string> kept =
      deps_.vault.Get(LabelOf(held.whose, held.connected.issuer));
  if (!held.unsaved) return kept && *kept == ConnectedText(held.connected);
  const auto listed = Issuers().find(PrincipalText(held.whose));
  const bool moved = listed != Issuers().end() && listed->second != held.connected.issuer;
  return !moved && kept == held.before;
}

// True: it is another one now, or none, than was known here.
bool Connections::Reread(Held& held) {
  if (!held.any()) {
    Load(held);
    return held.any();
  }
  if (IsAsKept(held)) return false;
  {
    const std::lock_guard lock(mutex_);
    held.grant = nullptr;
  }
  held.connected = {};
  held.unsaved = false;
  held.not_before = TimePoint::min();
  ++held.version;
  Load(held);
  if (deps_.accounts != nullptr) {
    deps_.accounts->Changed(server_, held.whose.issuer, held.whose.subject);
  }
  return true;
}

void Connections::Publish(Held& held) {
  const oauth::Token& token = held.connected.token;
  const WallTime now = deps_.clock.WallNow();
  const WallTime expires = token.expires.value_or(WallTime::max());
  const bool renewed = token.expires && !token.refresh.empty();
  const std::lock_guard lock(mutex_);
  held.grant = std::make_shared<const Grant>(
      Grant{.lines = "Authorization: Bearer " + token.access + "\r\n",
            .refresh_at = renewed ? oauth::RefreshAt(now, expires) : WallTime::max(),
            .expires = expires,
            .scopes = held.connected.asked});
  held.got_at = deps_.clock.Now();
}

// The token before it is spent, so this one is used, and tried to be kept again.
void Connections::Save(Held& held) {
  const Label label = LabelOf(held.whose, held.connected.issuer);
  Result<void> kept = deps_.vault.Put(label, ConnectedText(held.connected));
  held.unsaved = !kept;
  if (kept) {
    Issuers()[label.principal] = label.issuer;
    return;
  }
  held.before = deps_.vault.Get(label);
  spdlog::error(
      "server {}: a connection could not be kept, so the next start may need another one: {}",
      server_, kept.error().message);
}

void Connections::Drop(Held& held) {
  const std::string principal = PrincipalText(held.whose);
  const std::string issuer = std::exchange(held.connected, {}).issuer;
  ++held.version;
  held.unsaved = false;
  Issuers().erase(principal);
  {
    const std::lock_guard lock(mutex_);
    held.grant = nullptr;
  }
  EraseFrom(LabelOf(held.whose, issuer));
  Changed(held);
}

// By this source: the others are to look.
void Connections::Changed(Held& held) {
  {
    const std::lock_guard lock(mutex_);
    held.seen = ++held.turn->changes;
  }
  if (deps_.accounts != nullptr) {
    deps_.accounts->Changed(server_, held.whose.issuer, held.whose.subject);
  }
}

void Connections::EraseFrom(const Label& label) {
  if (Result<void> gone = deps_.vault.Erase(label); !gone) {
    spdlog::error("server {}: a connection that is over could not be deleted: {}", server_,
                  gone.error().message);
  }
}

void Connections::Keep(const Whose& whose, Connected connected) {
  const HeldPtr held = HeldOf(whose);
  if (held->any() && held->connected.issuer != connected.issuer) Drop(*held);
  // One that does not fit any more was not loaded; the next start would find two.
  const auto other = Issuers().find(PrincipalText(whose));
  if (other != Issuers().end() && other->second != connected.issuer) {
    EraseFrom(LabelOf(whose, other->second));
  }
  held->connected = std::move(connected);
  ++held->version;
  held->not_before = TimePoint::min();
  Save(*held);
  Publish(*held);
  Changed(*held);
  Count("connected");
}

bool Connections::Forget(const Whose& whose) {
  deps_.links.DropOf(server_, whose);
  const HeldPtr held = HeldOf(whose);
  if (!held->any()) return false;
  Drop(*held);
  return true;
}

std::optional<oauth::Client> Connections::ClientAt(const std::string& issuer,
                                                   const std::string& redirect_uri) const {
  if (!client_.id.empty()) return client_;
  const std::optional<std::string> text =
      deps_.vault.Get({.issuer = issuer, .principal = {}, .server = server_, .kind = kClient});
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const std::string_view registered = TakeLine(rest);
  if (registered != redirect_uri) return std::nullopt;
  return oauth::ReadClientText(std::string(rest));
}

void Connections::KeepClient(const std::string& issuer, const std::string& redirect_uri,
                             const oauth::Client& client) {
  Result<void> kept =
      deps_.vault.Put({.issuer = issuer, .principal = {}, .server = server_, .kind = kClient},
                      redirect_uri + "\n" + oauth::ClientText(client));
  if (!kept) {
    spdlog::error("server {}: its registration could not be kept: {}", server_,
                  kept.error().message);
  }
}

void Connections::ForgetClient(const std::string& issuer, const std::string& id) {
  const Label label{.issuer = issuer, .principal = {}, .server = server_, .kind = kClient};
  const std::optional<std::string> text = deps_.vault.Get(label);
  if (!text) return;
  std::string_view rest = *text;
  TakeLine(rest);
  // Another one may have been registered since.
  const std::optional<oauth::Client> kept = oauth::ReadClientText(std::string(rest));
  if (kept && kept->id != id) return;
  Result<void> gone = deps_.vault.Erase(label);
  if (gone) return;
  spdlog::error("server {}: its registration could not be deleted: {}", server_,
                gone.error().message);
}

}  // namespace switchyard::credentials
