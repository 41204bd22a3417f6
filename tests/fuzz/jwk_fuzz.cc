// Keys as JSON or PEM, of whatever bytes.
// - they are read or refused with a message that a log can hold;
// - a key that is taken is for something, and takes no signature that nobody made.
#include <cstddef>
#include <cstdint>
#include <string>

#include "auth/jwk.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using fuzz::Require;

void CheckKey(const auth::Key& key) {
  Require(!key.algorithms().empty(), "a key is for something");
  for (const char* name : {"HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"}) {
    const auth::Algorithm algorithm = *auth::AlgorithmOf(name);
    for (const std::size_t size : {0U, 32U, 64U, 96U, 132U, 256U}) {
      Require(!key.Verify(algorithm, "text", std::string(size, '\0')), "zeros are no signature");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool secrets : {false, true}) {
    const Result<auth::KeysRead> read = auth::ReadKeys(text, {.secrets = secrets});
    if (!read) {
      Require(!read.error().message.empty() && mcp::IsUtf8(read.error().message),
              "a refusal is text");
      continue;
    }
    Require(!read->keys.empty(), "there is a key");
    for (const auth::Key& key : read->keys) CheckKey(key);
  }
  return 0;
}
