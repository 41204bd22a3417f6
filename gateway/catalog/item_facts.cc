#include "catalog/item_facts.h"

#include <optional>
#include <string>

#include "mcp/raw_object.h"
#include "mcp/tasks.h"

namespace switchyard::catalog {

using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::MembersOf;

std::string_view Word(ItemKind kind) {
  switch (kind) {
    case ItemKind::kTool: return "tool";
    case ItemKind::kPrompt: return "prompt";
    case ItemKind::kResource: return "resource";
    case ItemKind::kTemplate: return "resource template";
  }
  return "item";
}

std::string_view NameMember(ItemKind kind) {
  if (kind == ItemKind::kResource) return "uri";
  return kind == ItemKind::kTemplate ? "uriTemplate" : "name";
}

Annotations ReadAnnotations(const Fields& tool) {
  Annotations result;
  const Field* field = Find(tool, "annotations");
  const std::optional<Fields> hints = field != nullptr ? MembersOf(field->value) : std::nullopt;
  if (!hints) return result;
  const auto read = [&hints](std::string_view key, bool& hint) {
    const Field* found = Find(*hints, key);
    if (found != nullptr && (found->value == "true" || found->value == "false")) {
      hint = found->value == "true";
    }
  };
  read("readOnlyHint", result.read_only);
  read("destructiveHint", result.destructive);
  read("idempotentHint", result.idempotent);
  read("openWorldHint", result.open_world);
  return result;
}

TaskSupport ReadTaskSupport(const Inventory& inventory, const Fields& tool) {
  if (!mcp::DeclaresTasks(inventory.facts.capabilities)) return TaskSupport::kNone;
  if (mcp::IsModern(inventory.facts.version)) return TaskSupport::kOptional;
  const Field* execution = Find(tool, "execution");
  if (execution == nullptr) return TaskSupport::kNone;
  const std::string support = mcp::RawObject::Parse(execution->value).GetString("taskSupport");
  if (support == "required") return TaskSupport::kRequired;
  return support == "optional" ? TaskSupport::kOptional : TaskSupport::kNone;
}

}  // namespace switchyard::catalog
