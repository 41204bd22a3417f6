// Where a fetch may go: decisions alone, no I/O. Immutable; safe from any thread.
//
// What it keeps out: a document or a server of somebody else that names a URL inside of the
// network of the gateway (SSRF). Public addresses by https pass. Whatever `fetch.allow` names
// passes inside, too, by http as well; what nobody serves (kNever of base/address.h) never does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/http/place.h"
#include "base/http/url.h"
#include "base/result.h"

namespace switchyard::fetch {

class Guard {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  Guard() = default;  // allows nothing inside
  explicit Guard(std::vector<http::Place> allowed) : allowed_(std::move(allowed)) {}

  // The URL with nothing else known: form, port, and a name or address that cannot be meant.
  // Errors as Fetcher gives them.
  Result<http::Url> CheckUrl(std::string_view text) const;
  // What its host resolved to: to those a connection may be made, in this order. One address that
  // is out of bounds spoils all: a name that points inside and outside is up to something.
  Result<Endpoints> CheckAddresses(const http::Url& url, Endpoints resolved) const;

 private:
  std::vector<http::Place> allowed_;
};

// `from` has led to `to` by a redirect: whether it is followed with what the request has, with
// nothing of it, or not at all.
enum class Follow : std::uint8_t { kWhole, kBare, kNo };
Follow FollowOf(const http::Url& from, const http::Url& to, bool post, int status);

}  // namespace switchyard::fetch
