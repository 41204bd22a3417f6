// The gateway as a client of an authorization server, as the configuration has it. Pure.
#pragma once

#include "base/result.h"
#include "config/credentials.h"
#include "credentials/oauth/client.h"

namespace switchyard::credentials {

// kInvalid: the private key cannot be used. Without a client_id: one that has no id.
Result<oauth::Client> ConfiguredClient(const config::ServerCredentials& config);

}  // namespace switchyard::credentials
