// The resources of one server that lead nowhere although it has them (Inventory). Borrows its URIs
// from the inventory. Immutable; safe to read from any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/inventory.h"
#include "catalog/uri_template.h"

namespace switchyard::catalog {

class Withheld {
 public:
  Withheld() = default;
  explicit Withheld(const Inventory& inventory)
      : uris_(inventory.withheld_uris.begin(), inventory.withheld_uris.end()) {
    for (const std::string& text : inventory.withheld_templates) {
      uris_.insert(text);  // completion names a template as it is written
      if (std::optional<UriTemplate> pattern = UriTemplate::Parse(text)) {
        patterns_.push_back(std::move(*pattern));
      }
    }
  }

  // By its name. What an offered template makes of it is a way around that is closed, too.
  bool Has(std::string_view uri) const { return uris_.contains(uri); }
  // As one of a template: unless an offered one makes it, too.
  bool Makes(std::string_view uri) const {
    for (const UriTemplate& pattern : patterns_) {
      if (pattern.Matches(uri)) return true;
    }
    return false;
  }

 private:
  std::set<std::string_view> uris_;
  std::vector<UriTemplate> patterns_;
};

}  // namespace switchyard::catalog
