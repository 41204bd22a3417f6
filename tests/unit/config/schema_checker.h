// A small JSON Schema 2020-12 checker for config/schema.json: as much as that file uses. A keyword
// that it does not know throws, so that the schema cannot outgrow it unseen.
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace switchyard::config {

// Empty = valid, else where and why not.
std::string SchemaProblem(const boost::json::object& root, const boost::json::value& value);

// The YAML as the JSON value that an editor's schema support sees. Throws when it is not YAML.
boost::json::value YamlToJson(const std::string& text);

}  // namespace switchyard::config
