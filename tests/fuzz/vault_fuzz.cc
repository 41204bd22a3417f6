// Files and labels of the vault, of whatever bytes: what is read is what was written, and nothing
// opens that was not sealed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "credentials/vault.h"
#include "fuzz/require.h"

using namespace switchyard;
using namespace switchyard::credentials;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const KeyRing keys =
      KeyRing::Read("credentials.keys", {config::Secret(std::string(64, 'a'))}).value();
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto label = ReadLabel(text)) {
    Require(ReadLabel(LabelText(*label)) == label, "a label reads the same");
  }
  if (const auto record = ReadVaultRecord(text)) {
    Require(!keys.Open(keys.first_id(), "p", record->sealed), "nothing opens that was not sealed");
    Require(!keys.Open(record->key_id, "p", record->sealed), "nor under the key that it names");
  }
  if (const auto key = ReadRingKey(text)) {
    Require(KeyRing::Read("credentials.keys", {config::Secret(text)}).has_value(),
            "a key is a key");
  }
  return 0;
}
