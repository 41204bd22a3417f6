#include "fetch/remote.h"

#include <optional>
#include <utility>

#include "base/http/grammar.h"
#include "config/rules.h"

namespace switchyard::fetch {

void TakeRemote(config::Section& section, Remote& remote) {
  using namespace std::chrono_literals;
  if (auto url = section.SecretString("url")) {
    std::optional<std::string> problem = url->empty() ? std::nullopt : config::UrlProblem(*url);
    if (problem) section.Error("url", std::move(*problem));
    remote.url = std::move(*url);
  }
  section.Shows("url", remote.url.Shown());
  if (auto headers = section.SecretMap("headers")) remote.headers = std::move(*headers);
  for (const auto& [name, value] : remote.headers) {
    if (http::IsToken(name) && http::IsFieldValue(value.Reveal())) continue;
    section.Error("headers." + name, "is no header that could be sent");
  }
  section.Shows("headers", remote.headers.empty() ? "{}" : "{***}");
  section.Take("timeout", remote.timeout, 10ms, 30s);
}

Task<Result<std::string>> PostJson(Fetcher& fetcher, const Remote& remote, std::string body,
                                   std::size_t max_bytes, Deadline deadline) {
  Request request{.method = "POST",
                  .url = remote.url.Reveal(),
                  .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
                  .body = std::move(body),
                  .max_bytes = max_bytes};
  for (const auto& [name, value] : remote.headers) {
    request.headers.push_back({name, value.Reveal()});
  }
  Result<Response> response = co_await fetcher.Fetch(std::move(request), deadline);
  if (!response) co_return Failure(std::move(response.error()));
  if (response->status != 200) {
    co_return Failure(Code::kUnavailable, Origin::kServer,
                      "the answer was " + std::to_string(response->status));
  }
  co_return std::move(response->body);
}

}  // namespace switchyard::fetch
