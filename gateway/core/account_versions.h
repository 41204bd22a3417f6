// Counts how often the account changed by which a caller is known at a server (connected,
// forgotten, connected anew): what was said to one account is not for the next one. Part of the key
// of whatever is kept by caller. Nothing outlives the process, as nothing does of what is kept so.
//
// Thread-safe, without a lock. Some callers share a number; then one's change lets go of what is
// kept for the others, too, and nothing worse.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace switchyard {

class AccountVersions {
 public:
  // After what is shown to the server has changed, or answers to the old account would be kept
  // under the new number.
  void Changed(std::string_view server, std::string_view issuer, std::string_view subject) {
    versions_[SlotOf(server, issuer, subject)].fetch_add(1);
  }
  std::uint32_t Of(std::string_view server, std::string_view issuer,
                   std::string_view subject) const {
    return versions_[SlotOf(server, issuer, subject)].load();
  }

 private:
  static constexpr std::size_t kSlots = 4096;

  static std::size_t SlotOf(std::string_view server, std::string_view issuer,
                            std::string_view subject) {
    const std::hash<std::string_view> hash;
    const std::size_t both = hash(issuer) * 31 + hash(subject);
    return (both * 31 + hash(server)) % kSlots;
  }

  std::array<std::atomic<std::uint32_t>, kSlots> versions_{};
};

}  // namespace switchyard
