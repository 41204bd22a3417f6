// Where tokens and registrations outlive the process: a directory with a file for each, encrypted
// with AES-256-GCM. What it belongs to (issuer, principal, server) is authenticated with it, so a
// file under another's name does not open: nobody gets another one's token by moving files about.
//
// A file is written whole, synced, and renamed into its place, so after kill -9 it is the old one
// or the new one. Its name is a hash. Nothing of what is inside is ever logged.
//
// One thread at a time; one gateway at a time, by a lock in the directory that ends with the
// process however that ends. Calls write to the disk.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "core/key_ring.h"

namespace switchyard::credentials {

// What a secret belongs to.
struct Label {
  std::string issuer;     // of the token: of the authorization server; "" = not of one
  std::string principal;  // whose: "" = of the gateway itself
  std::string server;     // config name
  std::string kind;       // "refresh token", "connection", "client"

  auto operator<=>(const Label&) const = default;
};

class Vault {
 public:
  static constexpr std::size_t kMostRecords = 100'000;
  static constexpr std::size_t kMostBytes = 64 * 1024;  // of one secret

  // Makes the directory if there is none, and reads what is in it. What was written with another
  // key than the first one is written anew. An error says what to do: a key is missing, or a file
  // was changed.
  static Result<Vault> Open(std::string directory, KeyRing keys);
  // The same with other keys, while it is in use. An Error: all stays as it was.
  Result<void> Use(KeyRing keys);
  // Nothing outlives the process: for a gateway without keys.
  static Vault InMemory() { return Vault(); }

  std::optional<std::string> Get(const Label& label) const;
  // Of that kind, of all servers.
  std::vector<Label> Labels(std::string_view kind) const;
  // The error names no secret. What could not be written stays as it was.
  Result<void> Put(const Label& label, std::string secret);
  Result<void> Erase(const Label& label);

  std::size_t size() const { return secrets_.size(); }
  bool persistent() const { return keys_.has_value(); }
  std::size_t rewritten() const { return rewritten_; }  // at the start, with the first key

 private:
  Vault() = default;
  Vault(std::string directory, KeyRing keys)
      : directory_(std::move(directory)), keys_(std::move(keys)) {}

  Result<void> Read();
  Result<void> ReadAll();
  Result<void> ReadOne(const std::string& name);
  Result<void> Check();
  Result<void> Write(const std::string& name, std::string_view purpose, std::string_view text);
  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
  Fd lock_;
  std::optional<KeyRing> keys_;  // nullopt: in memory
  std::map<Label, std::string> secrets_;
  std::size_t rewritten_ = 0;
};

// A record's file: who sealed it, for what, and the sealed text.
struct VaultRecord {
  std::string key_id, sealed;
};
// nullopt: no such file. Pure.
std::optional<VaultRecord> ReadVaultRecord(std::string_view text);
// Labels as they are authenticated and written: no two of them alike. Pure.
std::string LabelText(const Label& label);
std::optional<Label> ReadLabel(std::string_view text);

}  // namespace switchyard::credentials
