#include "unit/config/schema_checker.h"

#include <functional>
#include <map>
#include <regex>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace switchyard::config {
namespace {

namespace json = boost::json;

std::string Str(json::string_view s) { return std::string(s.data(), s.size()); }

bool Matches(const json::value& pattern, const std::string& text) {
  return std::regex_search(text, std::regex(Str(pattern.as_string())));
}

bool IsType(const json::value& v, const std::string& type) {
  if (type == "object") return v.is_object();
  if (type == "array") return v.is_array();
  if (type == "string") return v.is_string();
  if (type == "boolean") return v.is_bool();
  if (type == "null") return v.is_null();
  if (type == "integer") return v.is_int64() || v.is_uint64();
  if (type == "number") return v.is_number();
  throw std::runtime_error("unknown type " + type);
}

// One use; the answer to each keyword is empty or the problem.
class Checker {
 public:
  explicit Checker(const json::object& root) : root_(root) {}

  std::string Check(const json::value& schema, const json::value& v, const std::string& at) {
    if (schema.is_bool()) return schema.get_bool() ? "" : at + ": not allowed";
    for (const auto& [keyword, rule] : schema.as_object()) {
      const auto found = Keywords().find(Str(keyword));
      if (found == Keywords().end()) throw std::runtime_error("unknown keyword " + Str(keyword));
      if (found->second == nullptr) continue;
      const std::string problem = (this->*found->second)(schema.as_object(), rule, v, at);
      if (!problem.empty()) return problem;
    }
    return "";
  }

 private:
  using Rule = std::string (Checker::*)(const json::object&, const json::value&, const json::value&,
                                        const std::string&);

  static const std::map<std::string, Rule>& Keywords() {
    static const std::map<std::string, Rule> kTable = {
        {"$schema", nullptr},
        {"title", nullptr},
        {"description", nullptr},
        {"$defs", nullptr},
        {"then", nullptr},  // seen by `if`
        {"$ref", &Checker::Ref},
        {"type", &Checker::Type},
        {"enum", &Checker::Enum},
        {"const", &Checker::Const},
        {"pattern", &Checker::Pattern},
        {"minLength", &Checker::MinLength},
        {"minimum", &Checker::Minimum},
        {"maximum", &Checker::Maximum},
        {"minItems", &Checker::MinItems},
        {"maxItems", &Checker::MaxItems},
        {"uniqueItems", &Checker::UniqueItems},
        {"items", &Checker::Items},
        {"required", &Checker::Required},
        {"dependentRequired", &Checker::DependentRequired},
        {"propertyNames", &Checker::PropertyNames},
        {"properties", &Checker::Properties},
        {"patternProperties", &Checker::PatternProperties},
        {"additionalProperties", &Checker::AdditionalProperties},
        {"anyOf", &Checker::AnyOf},
        {"oneOf", &Checker::OneOf},
        {"if", &Checker::If}};
    return kTable;
  }

#define RULE(name)                                              \
  std::string name([[maybe_unused]] const json::object& schema, \
                   [[maybe_unused]] const json::value& rule,    \
                   [[maybe_unused]] const json::value& v, [[maybe_unused]] const std::string& at)

  RULE(Ref) {
    constexpr std::string_view kPrefix = "#/$defs/";
    return Check(root_.at("$defs").at(Str(rule.as_string()).substr(kPrefix.size())), v, at);
  }
  RULE(Type) {
    const json::array types = rule.is_array() ? rule.get_array() : json::array{rule};
    for (const auto& type : types) {
      if (IsType(v, Str(type.as_string()))) return "";
    }
    return at + ": wrong type";
  }
  RULE(Enum) {
    for (const auto& word : rule.as_array()) {
      if (word == v) return "";
    }
    return at + ": not one of the words";
  }
  RULE(Const) { return rule == v ? "" : at + ": not the constant"; }
  RULE(Pattern) {
    if (!v.is_string() || Matches(rule, Str(v.get_string()))) return "";
    return at + ": does not match " + Str(rule.as_string());
  }
  RULE(MinLength) {
    if (!v.is_string() || v.get_string().size() >= rule.to_number<std::size_t>()) return "";
    return at + ": too short";
  }
  RULE(Minimum) {
    if (!v.is_number() || v.to_number<double>() >= rule.to_number<double>()) return "";
    return at + ": too small";
  }
  RULE(Maximum) {
    if (!v.is_number() || v.to_number<double>() <= rule.to_number<double>()) return "";
    return at + ": too large";
  }
  RULE(MinItems) {
    if (!v.is_array() || v.get_array().size() >= rule.to_number<std::size_t>()) return "";
    return at + ": too few";
  }
  RULE(MaxItems) {
    if (!v.is_array() || v.get_array().size() <= rule.to_number<std::size_t>()) return "";
    return at + ": too many";
  }
  RULE(UniqueItems) {
    if (!v.is_array() || !rule.as_bool()) return "";
    const json::array& items = v.get_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (items[i] == items[j]) return at + ": not unique";
      }
    }
    return "";
  }
  RULE(Items) {
    if (!v.is_array()) return "";
    for (const auto& item : v.get_array()) {
      if (auto problem = Check(rule, item, at + "[]"); !problem.empty()) return problem;
    }
    return "";
  }
  RULE(Required) {
    if (!v.is_object()) return "";
    for (const auto& name : rule.as_array()) {
      if (!v.get_object().contains(name.as_string()))
        return at + ": lacks " + Str(name.as_string());
    }
    return "";
  }
  RULE(DependentRequired) {
    if (!v.is_object()) return "";
    for (const auto& [key, needed] : rule.as_object()) {
      if (!v.get_object().contains(key)) continue;
      if (auto problem = Required(schema, needed, v, at + "." + Str(key)); !problem.empty()) {
        return problem;
      }
    }
    return "";
  }
  RULE(PropertyNames) {
    if (!v.is_object()) return "";
    for (const auto& [key, value] : v.get_object()) {
      if (auto problem = Check(rule, json::value(key), at); !problem.empty()) return problem;
    }
    return "";
  }
  RULE(Properties) {
    if (!v.is_object()) return "";
    for (const auto& [key, sub] : rule.as_object()) {
      const json::value* value = v.get_object().if_contains(key);
      if (value == nullptr) continue;
      if (auto problem = Check(sub, *value, at + "." + Str(key)); !problem.empty()) return problem;
    }
    return "";
  }
  RULE(PatternProperties) {
    if (!v.is_object()) return "";
    for (const auto& [pattern, sub] : rule.as_object()) {
      for (const auto& [key, value] : v.get_object()) {
        if (!Matches(json::value(pattern), Str(key))) continue;
        if (auto problem = Check(sub, value, at + "." + Str(key)); !problem.empty()) return problem;
      }
    }
    return "";
  }
  RULE(AdditionalProperties) {
    if (!v.is_object()) return "";
    const json::value* known = schema.if_contains("properties");
    const json::value* patterns = schema.if_contains("patternProperties");
    for (const auto& [key, value] : v.get_object()) {
      if (known != nullptr && known->as_object().contains(key)) continue;
      bool is_matched = false;
      if (patterns != nullptr) {
        for (const auto& [pattern, sub] : patterns->as_object()) {
          is_matched = is_matched || Matches(json::value(pattern), Str(key));
        }
      }
      if (is_matched) continue;
      if (auto problem = Check(rule, value, at + "." + Str(key)); !problem.empty()) return problem;
    }
    return "";
  }
  std::size_t Valid(const json::value& rule, const json::value& v, const std::string& at) {
    std::size_t valid = 0;
    for (const auto& sub : rule.as_array()) valid += Check(sub, v, at).empty() ? 1 : 0;
    return valid;
  }
  RULE(AnyOf) { return Valid(rule, v, at) > 0 ? "" : at + ": none of anyOf"; }
  RULE(OneOf) { return Valid(rule, v, at) == 1 ? "" : at + ": not exactly one of oneOf"; }
  RULE(If) { return Check(rule, v, at).empty() ? Check(schema.at("then"), v, at) : ""; }
#undef RULE

  const json::object& root_;
};

json::value Convert(const YAML::Node& node) {
  if (node.IsMap()) {
    json::object out;
    for (const auto& pair : node) out[pair.first.Scalar()] = Convert(pair.second);
    return out;
  }
  if (node.IsSequence()) {
    json::array out;
    for (const auto& item : node) out.push_back(Convert(item));
    return out;
  }
  if (!node.IsScalar()) return nullptr;
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") return json::value(text);
  if (text == "true" || text == "false") return text == "true";
  if (std::regex_match(text, std::regex("-?[0-9]+(\\.[0-9]+)?"))) return json::parse(text);
  return json::value(text);
}

TEST(SchemaChecker, JudgesEachKeywordThatTheSchemaUses) {
  struct Row {
    const char* schema;
    const char* good;
    const char* bad;
  };
  const Row kRows[] = {{R"({"type":["string","integer"]})", "1", "[]"},
                       {R"({"enum":["a"]})", R"("a")", R"("b")"},
                       {R"({"const":true})", "true", "false"},
                       {R"({"pattern":"^a"})", R"("ab")", R"("ba")"},
                       {R"({"minLength":1})", R"("a")", R"("")"},
                       {R"({"minimum":1})", "1", "0"},
                       {R"({"maximum":1})", "1", "2"},
                       {R"({"minItems":1,"maxItems":1})", "[1]", "[1,2]"},
                       {R"({"uniqueItems":true})", "[1,2]", "[1,1]"},
                       {R"({"items":{"type":"string"}})", R"(["a"])", "[1]"},
                       {R"({"required":["a"]})", R"({"a":1})", "{}"},
                       {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1,"b":1})", R"({"a":1})"},
                       {R"({"propertyNames":{"pattern":"^a"}})", R"({"a":1})", R"({"b":1})"},
                       {R"({"properties":{"a":{"type":"null"}}})", R"({"a":null})", R"({"a":1})"},
                       {R"({"patternProperties":{"^x":{}},"additionalProperties":false})",
                        R"({"x1":1})", R"({"y":1})"},
                       {R"({"anyOf":[{"const":1},{"const":2}]})", "2", "3"},
                       {R"({"oneOf":[{"type":"integer"},{"minimum":5}]})", "3", "7"},
                       {R"({"if":{"type":"string"},"then":{"const":"a"}})", "1", R"("b")"},
                       {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}})", "1.5", "true"}};
  for (const Row& row : kRows) {
    const json::value schema = json::parse(row.schema);
    EXPECT_EQ(SchemaProblem(schema.as_object(), json::parse(row.good)), "") << row.schema;
    EXPECT_NE(SchemaProblem(schema.as_object(), json::parse(row.bad)), "") << row.schema;
  }
  const json::value unknown = json::parse(R"({"contains":{}})");
  EXPECT_THROW(SchemaProblem(unknown.as_object(), nullptr), std::runtime_error);
}

}  // namespace

std::string SchemaProblem(const json::object& root, const json::value& value) {
  return Checker(root).Check(json::value(root), value, "");
}

json::value YamlToJson(const std::string& text) { return Convert(YAML::Load(text)); }

}  // namespace switchyard::config
