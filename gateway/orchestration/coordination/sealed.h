// The contents of confidential messages as they are stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// What a sealed content is bound to.
struct SealedFor {
  std::int64_t message = 0, sender_box = 0;
  std::vector<std::int64_t> boxes = {};  // sorted
};
struct SealedText {
  std::string key_id = {}, text = {};
};
// kInvalid: there is no key; the message says what to do.
Result<SealedText> SealContent(const Settings& settings, const SealedFor& bound,
                               std::string_view content);
// nullopt: its key is gone, or it is not what was sealed.
std::optional<std::string> OpenContent(const Settings& settings, const SealedFor& bound,
                                       const SealedText& sealed);

}  // namespace switchyard::orchestration
