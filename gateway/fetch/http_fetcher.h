// The fetcher over the network: one connection a request, HTTP/1.1, TLS verified by name and the
// system's authorities or `fetch.tls_ca`. Redirects are resolved, checked and connected anew. No
// proxy is taken from the environment.
//
// Thread-safe: it runs wherever it is awaited, and what a configuration says of it is taken over
// whole.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/http/connection.h"
#include "base/http/tls.h"
#include "config/config.h"
#include "fetch/fetch.h"
#include "fetch/guard.h"

namespace switchyard::telemetry {
class Metrics;
}

namespace switchyard::fetch {

// What a configuration says of fetches. Thread-safe.
class Terms {
 public:
  // kInvalid: `tls_ca` cannot be read, an entry of `allow` names no place.
  static Result<std::shared_ptr<const Terms>> Make(const config::Fetch& fetch);
  explicit Terms(std::string authorities = {}) : authorities_(std::move(authorities)) {}

  Guard guard = {};
  Duration timeout = config::Fetch().timeout;
  std::size_t max_bytes = config::Fetch().max_bytes;

  // Made when first asked for if it is by the system's authorities: reading those takes long, and
  // most gateways fetch nothing.
  Result<http::TlsClient*> Tls() const;

 private:
  const std::string authorities_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<http::TlsClient> tls_;  // guarded by mutex_ until it is there
};

class HttpFetcher final : public Fetcher {
 public:
  // What a name means. Null = the system's resolver, which does not block either.
  using Names = std::function<Guard::Endpoints(std::string_view host)>;

  // Both outlive it. Refuses everything until terms are there.
  HttpFetcher(const Clock& clock, telemetry::Metrics& metrics, Names names = nullptr)
      : clock_(clock), metrics_(metrics), names_(std::move(names)) {}

  // Fetches that begin from now on go by these.
  void Use(std::shared_ptr<const Terms> terms);

  Task<Result<Response>> Fetch(Request request, Deadline deadline) override;

 private:
  Task<Result<Response>> Follow(Request request, Deadline deadline,
                                std::shared_ptr<const Terms> terms);
  // `request` is Follow()'s, which awaits this at once.
  Task<Result<Response>> Exchange(const Request& request, http::Url url, Deadline deadline,
                                  std::shared_ptr<const Terms> terms);
  Task<Result<Guard::Endpoints>> Resolve(http::Connection& connection, http::Url url,
                                         std::shared_ptr<const Terms> terms);
  std::shared_ptr<const Terms> TermsNow() const;
  void Count(const Result<Response>& result) const;

  const Clock& clock_;
  telemetry::Metrics& metrics_;
  const Names names_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Terms> terms_;  // guarded by mutex_
};

}  // namespace switchyard::fetch
