#include <charconv>

#include "credentials/vault.h"

namespace switchyard::credentials {
namespace {

constexpr std::string_view kMagic = "switchyard-vault-1 ";
constexpr std::size_t kMostLabel = 8192;

}  // namespace

std::optional<VaultRecord> ReadVaultRecord(std::string_view text) {
  if (!text.starts_with(kMagic)) return std::nullopt;
  text.remove_prefix(kMagic.size());
  const std::size_t blank = text.find(' ');
  if (blank == text.npos || !text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  VaultRecord record{.key_id = std::string(text.substr(0, blank)),
                     .sealed = std::string(text.substr(blank + 1))};
  if (record.key_id.empty() || record.sealed.empty()) return std::nullopt;
  return record;
}

// Each with its length before it: no text can pass for the border of two.
std::string LabelText(const Label& label) {
  std::string text;
  for (const std::string* part : {&label.issuer, &label.principal, &label.server, &label.kind}) {
    text.append(std::to_string(part->size())).append(":").append(*part);
  }
  return text;
}

std::optional<Label> ReadLabel(std::string_view text) {
  if (text.size() > kMostLabel) return std::nullopt;
  Label label;
  for (std::string* part : {&label.issuer, &label.principal, &label.server, &label.kind}) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end == text.data() + text.size() || *end != ':') {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    if (size > text.size()) return std::nullopt;
    *part = text.substr(0, size);
    text.remove_prefix(size);
  }
  if (!text.empty()) return std::nullopt;
  return label;
}

}  // namespace switchyard::credentials
