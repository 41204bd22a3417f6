#include "orchestration/coordination/sealed.h"

#include "core/key_ring.h"

namespace switchyard::orchestration {
namespace {

std::string Purpose(const SealedFor& bound) {
  std::string purpose = "switchyard confidential message\n" + std::to_string(bound.message) + " " +
                        std::to_string(bound.sender_box);
  for (const std::int64_t box : bound.boxes) purpose += " " + std::to_string(box);
  return purpose;
}

}  // namespace

Result<SealedText> SealContent(const Settings& settings, const SealedFor& bound,
                               std::string_view content) {
  if (settings.keys == nullptr) {
    return Refused(
        "confidential messages are off: they are kept encrypted, and no key is configured; have "
        "the operator set orchestration.keys, or send it without confidential");
  }
  return SealedText{.key_id = settings.keys->first_id(),
                    .text = settings.keys->Seal(Purpose(bound), content)};
}

std::optional<std::string> OpenContent(const Settings& settings, const SealedFor& bound,
                                       const SealedText& sealed) {
  if (settings.keys == nullptr) return std::nullopt;
  return settings.keys->Open(sealed.key_id, Purpose(bound), sealed.text);
}

}  // namespace switchyard::orchestration
