#include "core/policy.h"

namespace switchyard {

std::shared_ptr<const void> Policy::Bind(std::shared_ptr<const void> settings,
                                         const PolicyScope& /*scope*/) const {
  return settings;
}

std::optional<Outage> Policy::OutageOf(const PolicySet& /*set*/, std::string_view /*tool*/) const {
  return std::nullopt;
}

}  // namespace switchyard
