#include "credentials/oauth/exchange.h"

#include <functional>
#include <utility>

#include "base/token.h"
#include "base/wipe.h"
#include "credentials/oauth/form.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024;

// What of a request nobody may read in a log, as it was meant and as it was sent.
std::vector<std::string> SecretsOf(const Client& client, const TokenRequest& made) {
  std::vector<std::string> secrets = {client.secret, PercentEncode(client.secret)};
  if (const std::size_t blank = made.authorization.find(' '); blank != std::string::npos) {
    secrets.push_back(made.authorization.substr(blank + 1));
  }
  std::optional<Fields> fields = ReadForm(made.body);
  if (!fields) return secrets;
  for (const char* name : {"refresh_token", "client_assertion", "client_secret", "code",
                           "code_verifier", "subject_token", "actor_token"}) {
    const std::optional<std::string_view> value = Find(*fields, name);
    if (!value) continue;
    secrets.emplace_back(*value);
    secrets.push_back(PercentEncode(*value));
  }
  Wipe(*fields);
  return secrets;
}

// For as long as they are looked for in an answer.
class Secrets {
 public:
  explicit Secrets(std::vector<std::string> all) : all_(std::move(all)) {}
  Secrets(const Secrets&) = delete;
  ~Secrets() {
    for (std::string& one : all_) switchyard::Wipe(one);
  }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

template <class T>
using Read = std::function<Result<T>(const fetch::Response&, const std::vector<std::string>&)>;

template <class T>
Task<Result<T>> Ask(fetch::Fetcher& fetcher, const Clock& clock, Client client,
                    ServerMetadata server, Fields grant, Read<T> read, Deadline deadline) {
  Result<TokenRequest> made =
      MakeTokenRequest(client, server, std::move(grant), clock.WallNow(), RandomToken());
  if (!made) co_return Failure(std::move(made.error()));
  const Secrets secrets(SecretsOf(client, *made));
  fetch::Request request{
      .method = "POST",
      .url = server.token_endpoint,
      .headers = {{.name = "Content-Type", .value = "application/x-www-form-urlencoded"},
                  {.name = "Accept", .value = "application/json"}},
      .body = std::move(made->body),
      .max_bytes = kMostAnswer};
  if (!made->authorization.empty()) {
    request.headers.push_back({.name = "Authorization", .value = std::move(made->authorization)});
  }
  Result<fetch::Response> answer = co_await fetcher.Fetch(std::move(request), deadline);
  if (!answer) co_return Failure(std::move(answer.error()).In("the token endpoint"));
  co_return read(*answer, secrets.all());
}

}  // namespace

Task<Result<Token>> AskForToken(fetch::Fetcher& fetcher, const Clock& clock, Client client,
                                ServerMetadata server, Fields grant, std::vector<std::string> asked,
                                Deadline deadline) {
  Read<Token> read = [&clock, asked = std::move(asked)](const fetch::Response& answer,
                                                        const std::vector<std::string>& secrets) {
    return ReadTokenResponse(answer.status, answer.body, asked, clock.WallNow(), secrets);
  };
  return Ask<Token>(fetcher, clock, std::move(client), std::move(server), std::move(grant),
                    std::move(read), deadline);
}

Task<Result<std::string>> AskForIdToken(fetch::Fetcher& fetcher, const Clock& clock, Client client,
                                        ServerMetadata server, Fields grant, Deadline deadline) {
  Read<std::string> read = [&clock](const fetch::Response& answer,
                                    const std::vector<std::string>& secrets) {
    return ReadIdTokenResponse(answer.status, answer.body, clock.WallNow(), secrets);
  };
  return Ask<std::string>(fetcher, clock, std::move(client), std::move(server), std::move(grant),
                          std::move(read), deadline);
}

Task<Result<Client>> Register(fetch::Fetcher& fetcher, Self self, ServerMetadata server,
                              Deadline deadline) {
  fetch::Request request{.method = "POST",
                         .url = server.registration_endpoint,
                         .headers = {{.name = "Content-Type", .value = "application/json"},
                                     {.name = "Accept", .value = "application/json"}},
                         .body = RegistrationRequest(self, server),
                         .max_bytes = kMostAnswer};
  Result<fetch::Response> answer = co_await fetcher.Fetch(std::move(request), deadline);
  if (!answer) co_return Failure(std::move(answer.error()).In("registration"));
  Result<Client> client = ReadRegistration(answer->status, answer->body);
  co_return client;
}

}  // namespace switchyard::credentials::oauth
