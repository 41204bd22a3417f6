// Which schemas of a text have names, and where a $ref leads. Works on the values of the text,
// before anything is compiled.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policies/lib/json_schema/json_doc.h"
#include "policies/lib/json_schema/tree.h"

namespace switchyard::json_schema {

enum class Dialect : std::uint8_t { kDraft7, k2020 };  // 2019-09 reads as 2020-12, 4 and 6 as 7

// What the member of a schema with this name holds.
enum class Holds : std::uint8_t { kData, kSchema, kSchemas, kNamedSchemas, kSchemaOrSchemas };
Holds WhatHolds(std::string_view keyword);

Dialect DialectOf(const JsonDoc& doc);

struct Place {
  std::uint32_t value = 0;
  std::uint32_t resource = 0;
};

class Resources {
 public:
  // Finds all $id and anchors.
  Resources(const JsonDoc& doc, Dialect dialect);

  // nullopt: nowhere in this text.
  std::optional<Place> Resolve(std::string_view reference, std::uint32_t resource) const;
  // The resource of a schema within `outer`: another one when it has an $id.
  std::uint32_t ResourceOf(std::uint32_t schema, std::uint32_t outer) const;

  struct DynamicAnchor {
    std::string name;
    Place place;
  };
  const std::vector<DynamicAnchor>& dynamic_anchors() const { return dynamic_; }
  bool IsDynamic(std::uint32_t schema, std::string_view name) const;
  std::span<const Resource> all() const { return all_; }

 private:
  void Scan(std::uint32_t value, std::uint32_t resource);
  void ScanMember(std::string_view keyword, std::uint32_t value, std::uint32_t resource);
  std::uint32_t Enter(std::uint32_t schema, std::uint32_t resource);
  std::optional<Place> Walk(Place from, std::string_view pointer) const;
  std::string StringAt(std::uint32_t object, std::string_view key) const;  // "" = none

  const JsonDoc& doc_;
  const Dialect dialect_;
  std::vector<Resource> all_;
  std::unordered_map<std::string, std::uint32_t> by_uri_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_root_;
  std::vector<DynamicAnchor> dynamic_;
};

}  // namespace switchyard::json_schema
