// What of a client's certificate can say who it is. One thread at a time.
#pragma once

#include <memory>

#include <openssl/types.h>

#include "auth/evidence.h"

namespace switchyard::edge {

// Null: it showed none, or none that TLS has verified. Names that hold control characters, and a
// common name that is not the only one, are left out.
std::unique_ptr<const auth::ClientCertificate> CertificateOf(const SSL* ssl);

}  // namespace switchyard::edge
