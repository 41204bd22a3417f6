// What is asked of an authorization server once it is known: tokens, and to be registered.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "credentials/oauth/client.h"
#include "credentials/oauth/metadata.h"
#include "credentials/oauth/registration.h"
#include "fetch/fetch.h"

namespace switchyard::credentials::oauth {

// `asked`: the scopes in `grant`. Everything is by value: it outlives who asked. Redirects are not
// followed: they would carry the secret elsewhere.
Task<Result<Token>> AskForToken(fetch::Fetcher& fetcher, const Clock& clock, Client client,
                                ServerMetadata server, Fields grant, std::vector<std::string> asked,
                                Deadline deadline);

// The same; what is wanted is the ID token, not yet believed.
Task<Result<std::string>> AskForIdToken(fetch::Fetcher& fetcher, const Clock& clock, Client client,
                                        ServerMetadata server, Fields grant, Deadline deadline);

Task<Result<Client>> Register(fetch::Fetcher& fetcher, Self self, ServerMetadata server,
                              Deadline deadline);

}  // namespace switchyard::credentials::oauth
