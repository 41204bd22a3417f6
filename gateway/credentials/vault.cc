#include "credentials/vault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/digest.h"
#include "base/fd.h"

namespace switchyard::credentials {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".secret";
constexpr std::string_view kFresh = ".new";
constexpr const char* kCheckName = "check";
constexpr std::string_view kCheckText = "switchyard vault";
constexpr std::size_t kMostFile = 2 * Vault::kMostBytes;

std::unexpected<Error> Failed(const std::string& path, const std::string& what, int error) {
  return Failure(Code::kInternal, Origin::kGateway,
                 "the vault " + path + ": " + what + ": " + std::generic_category().message(error));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Result<std::string> ReadFile(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return Failed(path, "cannot be read", errno);
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path, "cannot be read", errno);
    if (got == 0 || text.size() > kMostFile) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string NameOf(const Label& label) { return Sha256(LabelText(label)) + std::string(kSuffix); }

std::string Purpose(const Label& label) { return "vault secret\n" + LabelText(label); }

// The label stands inside as well: the name is a hash, and who starts has nothing else.
std::string PurposeOfName(const std::string& name) { return "vault label\n" + name; }

void SyncDirectory(const std::string& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) ::fsync(directory.get());
}

Result<Fd> Lock(const std::string& directory) {
  const std::string path = directory + "/lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!lock.valid()) return Failed(path, "cannot be opened", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  return Failure(Code::kUnavailable, Origin::kGateway,
                 "the vault " + directory + ": another gateway uses it; give each its own");
}

std::unexpected<Error> NoKey(const std::string& path, const std::string& id) {
  return Failure(Code::kInvalid, Origin::kGateway,
                 "credentials.keys: the vault " + path + " was written with the key " + id +
                     ", which is not among them; put it back behind the new one, or move the "
                     "vault away and have everybody connect again");
}

std::unexpected<Error> Changed(const std::string& path) {
  return Failure(Code::kInvalid, Origin::kGateway,
                 "the vault " + path +
                     ": was changed, or belongs under another name; put a copy of it back, or "
                     "delete it and have its owner connect again");
}

}  // namespace

Result<Vault> Vault::Open(std::string directory, KeyRing keys) {
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return Failed(directory, "cannot be made", errno);
  }
  struct stat info{};
  if (::lstat(directory.c_str(), &info) != 0) return Failed(directory, "cannot be read", errno);
  if (!S_ISDIR(info.st_mode)) return Failed(directory, "cannot be used", ENOTDIR);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::chmod(directory.c_str(), S_IRWXU) != 0) {
    return Failed(directory, "is open to others, which cannot be changed", errno);
  }
  Result<Fd> lock = Lock(directory);
  if (!lock) return Failure(std::move(lock.error()));
  Vault vault(std::move(directory), std::move(keys));
  vault.lock_ = std::move(*lock);
  if (Result<void> read = vault.Read(); !read) return Failure(std::move(read.error()));
  return vault;
}

Result<void> Vault::Use(KeyRing keys) {
  Vault fresh(directory_, std::move(keys));
  if (Result<void> read = fresh.Read(); !read) return read;
  keys_ = std::move(fresh.keys_);
  secrets_ = std::move(fresh.secrets_);
  rewritten_ = fresh.rewritten_;
  return {};
}

Result<void> Vault::Read() {
  if (Result<void> checked = Check(); !checked) return checked;
  if (Result<void> read = ReadAll(); !read) return read;
  if (rewritten_ != 0) {
    spdlog::info("credentials: {} secrets were encrypted anew with the first key", rewritten_);
  }
  return {};
}

// A vault without any secret knows its key, too: a wrong one is seen before anything is written.
Result<void> Vault::Check() {
  const std::string path = PathOf(kCheckName);
  if (::access(path.c_str(), F_OK) != 0) return Write(kCheckName, kCheckName, kCheckText);
  const Result<std::string> text = ReadFile(path);
  if (!text) return Failure(text.error());
  const std::optional<VaultRecord> record = ReadVaultRecord(*text);
  if (!record) return Changed(path);
  if (!keys_->Has(record->key_id)) return NoKey(directory_, record->key_id);
  if (keys_->Open(record->key_id, kCheckName, record->sealed) != kCheckText) return Changed(path);
  return {};
}

Result<void> Vault::ReadAll() {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(kFresh)) ::unlink(PathOf(name).c_str());  // of a write that was cut off
    if (name.ends_with(kSuffix)) names.push_back(name);
  }
  if (error) return Failed(directory_, "cannot be listed", error.value());
  for (const std::string& name : names) {
    if (Result<void> read = ReadOne(name); !read) return read;
  }
  // Last: were the check of the new key with secrets of the old one, the old key could be dropped
  // after a crash in between, and nothing would tell.
  return Write(kCheckName, kCheckName, kCheckText);
}

Result<void> Vault::ReadOne(const std::string& name) {
  const std::string path = PathOf(name);
  const Result<std::string> text = ReadFile(path);
  if (!text) return Failure(text.error());
  const std::optional<VaultRecord> record = ReadVaultRecord(*text);
  if (!record) return Changed(path);
  if (!keys_->Has(record->key_id)) return NoKey(directory_, record->key_id);
  const std::size_t dot = record->sealed.find('.');
  if (dot == std::string::npos) return Changed(path);
  const std::string_view sealed = record->sealed;
  const std::optional<std::string> inner =
      keys_->Open(record->key_id, PurposeOfName(name), sealed.substr(0, dot));
  const std::optional<Label> label = inner ? ReadLabel(*inner) : std::nullopt;
  if (!label || NameOf(*label) != name) return Changed(path);
  std::optional<std::string> secret =
      keys_->Open(record->key_id, Purpose(*label), sealed.substr(dot + 1));
  if (!secret) return Changed(path);
  if (record->key_id != keys_->first_id()) {
    if (Result<void> written = Write(name, LabelText(*label), *secret); !written) return written;
    ++rewritten_;
  }
  secrets_.insert_or_assign(*label, std::move(*secret));
  return {};
}

// `about` is the text of a label, but for the check.
Result<void> Vault::Write(const std::string& name, std::string_view about, std::string_view text) {
  std::string body = "switchyard-vault-1 " + keys_->first_id() + " ";
  if (name == kCheckName) {
    body += keys_->Seal(about, text);
  } else {
    body += keys_->Seal(PurposeOfName(name), about) + "." +
            keys_->Seal("vault secret\n" + std::string(about), text);
  }
  body += "\n";
  const std::string path = PathOf(name);
  const std::string fresh = path + std::string(kFresh);
  const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                       S_IRUSR | S_IWUSR));
  if (!file.valid()) return Failed(fresh, "cannot be written", errno);
  if (!WriteAll(file.get(), body) || ::fsync(file.get()) != 0 ||
      ::rename(fresh.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(fresh.c_str());
    return Failed(path, "cannot be written", why);
  }
  SyncDirectory(directory_);
  return {};
}

std::optional<std::string> Vault::Get(const Label& label) const {
  const auto found = secrets_.find(label);
  if (found == secrets_.end()) return std::nullopt;
  return found->second;
}

std::vector<Label> Vault::Labels(std::string_view kind) const {
  std::vector<Label> labels;
  for (const auto& [label, secret] : secrets_) {
    if (label.kind == kind) labels.push_back(label);
  }
  return labels;
}

Result<void> Vault::Put(const Label& label, std::string secret) {
  if (secret.size() > kMostBytes || !ReadLabel(LabelText(label))) {
    return Failure(Code::kTooLarge, Origin::kGateway, "the vault: what is to be kept is too large");
  }
  if (secrets_.size() >= kMostRecords && !secrets_.contains(label)) {
    return Failure(Code::kRateLimited, Origin::kGateway,
                   "the vault: is full with " + std::to_string(kMostRecords) + " secrets");
  }
  if (persistent()) {
    Result<void> written = Write(NameOf(label), LabelText(label), secret);
    if (!written) return written;
  }
  secrets_.insert_or_assign(label, std::move(secret));
  return {};
}

Result<void> Vault::Erase(const Label& label) {
  if (secrets_.erase(label) == 0 || !persistent()) return {};
  const std::string path = PathOf(NameOf(label));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Failed(path, "cannot be deleted", errno);
  }
  SyncDirectory(directory_);
  return {};
}

}  // namespace switchyard::credentials
