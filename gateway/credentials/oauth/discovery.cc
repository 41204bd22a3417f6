#include "credentials/oauth/discovery.h"

#include <algorithm>
#include <utility>

#include "credentials/oauth/url.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostDocument = 256 * 1024;
constexpr unsigned kMostRedirects = 3;

// nullopt: nothing is published there.
Task<Result<std::string>> Get(fetch::Fetcher& fetcher, std::string url, Deadline deadline) {
  fetch::Request request{.url = std::move(url),
                         .headers = {{.name = "Accept", .value = "application/json"}},
                         .max_bytes = kMostDocument,
                         .max_redirects = kMostRedirects};
  Result<fetch::Response> answer = co_await fetcher.Fetch(std::move(request), deadline);
  if (!answer) co_return Failure(std::move(answer.error()));
  // Not now; whether it is there, is not said.
  if (answer->status >= 500 || answer->status == 429) {
    co_return Failure(Code::kUnavailable, Origin::kServer,
                      "answered " + std::to_string(answer->status));
  }
  if (answer->status != 200) {
    co_return Failure(Code::kNotFound, Origin::kServer,
                      "answered " + std::to_string(answer->status));
  }
  co_return std::move(answer->body);
}

// Down, refused or out of time is no "there is none": another place is no better then, and to go on
// to a weaker one would let who breaks the first choose.
bool IsFinal(const Error& error) { return error.code != Code::kNotFound; }

Task<Result<ResourceMetadata>> FetchResourceMetadata(fetch::Fetcher& fetcher, Lead lead,
                                                     Deadline deadline) {
  std::vector<std::string> urls;
  if (!lead.resource_metadata.empty()) urls.push_back(lead.resource_metadata);
  for (std::string& url : ResourceMetadataUrls(lead.server_url)) {
    if (std::ranges::find(urls, url) == urls.end()) urls.push_back(std::move(url));
  }
  for (const std::string& url : urls) {
    Result<std::string> text = co_await Get(fetcher, url, deadline);
    if (!text && !IsFinal(text.error())) continue;
    if (!text) co_return Failure(std::move(text.error()).In("metadata of the resource"));
    Result<ResourceMetadata> metadata = ReadResourceMetadata(*text, lead.server_url);
    if (!metadata) co_return Failure(std::move(metadata.error()).In("metadata of the resource"));
    co_return metadata;
  }
  co_return Failure(Code::kNotFound, Origin::kServer, "no metadata of the resource is published");
}

std::unexpected<Error> OtherIssuer(const std::string& wanted) {
  return Failure(Code::kForbidden, Origin::kGateway,
                 "the server does not name the configured issuer " + wanted +
                     "; what is known there is sent to nobody else: register anew and change it");
}

// 2025-03-26: the server is its own authorization server, at the root of its origin.
Task<Result<Discovered>> WithoutResource(fetch::Fetcher& fetcher, Lead lead, Deadline deadline) {
  const std::optional<http::Url> url = ParseUrl(lead.server_url);
  const std::string origin = url ? url->origin() : std::string();
  const std::string issuer = lead.issuer.empty() ? origin : lead.issuer;
  const std::optional<std::string> resource = CanonicalResource(lead.server_url);
  Result<ServerMetadata> metadata = co_await FetchServerMetadata(fetcher, issuer, deadline);
  if (metadata) {
    co_return Discovered{.server = std::move(*metadata), .resource = resource.value_or("")};
  }
  if (IsFinal(metadata.error()) || !lead.issuer.empty()) {
    co_return Failure(std::move(metadata.error()));
  }
  std::optional<ServerMetadata> defaults = DefaultEndpoints(lead.server_url);
  if (!defaults) co_return Failure(std::move(metadata.error()));
  co_return Discovered{
      .server = std::move(*defaults), .resource = resource.value_or(""), .published = false};
}

}  // namespace

Task<Result<ServerMetadata>> FetchServerMetadata(fetch::Fetcher& fetcher, std::string issuer,
                                                 Deadline deadline) {
  for (const std::string& url : ServerMetadataUrls(issuer)) {
    Result<std::string> text = co_await Get(fetcher, url, deadline);
    if (!text && !IsFinal(text.error())) continue;
    if (!text) co_return Failure(std::move(text.error()).In("metadata of the issuer"));
    Result<ServerMetadata> metadata = ReadServerMetadata(*text, issuer);
    if (!metadata) co_return Failure(std::move(metadata.error()).In("metadata of the issuer"));
    co_return metadata;
  }
  co_return Failure(Code::kNotFound, Origin::kServer, "no metadata of the issuer is published");
}

Task<Result<Discovered>> Discover(fetch::Fetcher& fetcher, Lead lead, Deadline deadline) {
  Result<ResourceMetadata> resource = co_await FetchResourceMetadata(fetcher, lead, deadline);
  if (!resource && IsFinal(resource.error())) co_return Failure(std::move(resource.error()));
  if (!resource) {
    Result<Discovered> without = co_await WithoutResource(fetcher, std::move(lead), deadline);
    co_return without;
  }
  std::vector<std::string> issuers = resource->authorization_servers;
  if (!lead.issuer.empty()) {
    if (std::ranges::find(issuers, lead.issuer) == issuers.end())
      co_return OtherIssuer(lead.issuer);
    issuers = {lead.issuer};
  }
  Result<ServerMetadata> metadata =
      co_await FetchServerMetadata(fetcher, issuers.front(), deadline);
  if (!metadata) co_return Failure(std::move(metadata.error()));
  co_return Discovered{.server = std::move(*metadata),
                       .resource = std::move(resource->resource),
                       .scopes_supported = std::move(resource->scopes_supported),
                       .issuers = std::move(issuers)};
}

}  // namespace switchyard::credentials::oauth
