// What a server says of one item in the item's own object: hints, and whether it can be a task.
// Pure.
#pragma once

#include <string_view>

#include "catalog/inventory.h"
#include "core/definition.h"
#include "mcp/scan.h"

namespace switchyard::catalog {

std::string_view Word(ItemKind kind);        // for messages
std::string_view NameMember(ItemKind kind);  // the member by which it is named

Annotations ReadAnnotations(const mcp::Fields& tool);
// What a legacy server says of each tool (L-TASK), a modern one says of all at once (TASKX).
TaskSupport ReadTaskSupport(const Inventory& inventory, const mcp::Fields& tool);

}  // namespace switchyard::catalog
