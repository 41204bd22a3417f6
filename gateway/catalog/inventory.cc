#include "catalog/inventory.h"

#include <optional>

#include "catalog/scan.h"

namespace switchyard::catalog {

Result<std::vector<std::string>> ItemsOf(std::string_view list_result_json, std::string_view key) {
  const auto broken = [key](std::string_view what) {
    return Failure(Code::kProtocol, Origin::kServer,
                   std::string("list result: ").append(key).append(" ").append(what));
  };
  const std::optional<Fields> result = MembersOf(list_result_json);
  if (!result) return Failure(Code::kProtocol, Origin::kServer, "list result is not an object");
  const Field* list = Find(*result, key);
  if (list == nullptr) return broken("is missing");
  if (!IsArray(list->value)) return broken("is not an array");
  const auto elements = ElementsOf(list->value);
  if (!elements) return broken("is not valid JSON");
  return std::vector<std::string>(elements->begin(), elements->end());
}

}  // namespace switchyard::catalog
